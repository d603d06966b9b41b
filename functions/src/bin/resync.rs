//! `resync`: see [`roundtrip_functions::resync`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::resync::run)
}
