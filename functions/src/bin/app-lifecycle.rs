//! `app-lifecycle`: see [`roundtrip_functions::app_lifecycle`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::app_lifecycle::run)
}
