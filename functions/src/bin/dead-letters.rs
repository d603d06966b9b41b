//! `dead-letters`: see [`roundtrip_functions::dead_letters`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::dead_letters::run)
}
