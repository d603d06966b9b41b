//! `webhook-intake`: see [`roundtrip_functions::webhook_intake`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::webhook_intake::run)
}
