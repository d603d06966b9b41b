//! Product links: matched, given and looked after, over all that writes them.

mod api;
mod command;
pub(crate) mod scene;
mod webhooks;
