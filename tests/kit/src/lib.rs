//! What the tests and the demo share.

pub mod burst;
pub mod contract;
pub mod delivery;
pub mod dynamodb;
pub mod explore;
pub mod fake;
pub mod kms;
pub mod label;
pub mod measure;
pub mod order;
pub mod scene;
pub mod stack;
pub mod template;
