//! `notify`: see [`roundtrip_functions::notify`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::notify::run)
}
