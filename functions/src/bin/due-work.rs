//! `due-work`: see [`roundtrip_functions::due_work`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::due_work::run)
}
