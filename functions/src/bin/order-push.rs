//! `order-push`: see [`roundtrip_functions::order_push`].
fn main() -> Result<(), lambda_runtime::Error> {
    roundtrip_functions::start(roundtrip_functions::order_push::run)
}
