//! `ops-api`: see [`roundtrip_functions::ops_api`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::ops_api::run)
}
