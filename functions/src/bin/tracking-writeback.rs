//! `tracking-writeback`: see [`roundtrip_functions::tracking_writeback`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::tracking_writeback::run)
}
