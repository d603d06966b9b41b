//! Product links: matched, given and looked after, over all that writes them.

mod api;
mod command;
mod scene;
mod webhooks;
