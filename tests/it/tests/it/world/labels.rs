//! Label tools.

use roundtrip_domain::id::LabelId;
use roundtrip_domain::writeback::{Label, LabelLine};
use roundtrip_kit::label;

use super::{World, at, line_of};

pub(crate) fn label_id(name: &str) -> LabelId {
    name.parse().unwrap()
}

impl World {
    /// A world whose order the ledger knows, and that nobody pushes.
    pub(crate) async fn known(units: u32) -> Self {
        let world = Self::with_units(units);
        world.settings(|settings| settings.auto_push = false).await;
        world.order_webhook().await;
        world
    }

    /// A label tool posts a label for all that the order waits for, and what follows from it at once.
    pub(crate) async fn post(&self, name: &str, numbers: &[&str]) {
        self.post_label(name, label::label(&self.ports, numbers)).await;
    }

    /// A label tool posts this label.
    pub(crate) async fn post_label(&self, name: &str, label: Label) {
        label::post(&self.ports, &at(), &label_id(name), label).await;
        self.drain().await;
    }

    /// A label tool voids a label.
    pub(crate) async fn void(&self, name: &str) {
        label::void(&self.ports, &at(), &label_id(name)).await;
        self.drain().await;
    }

    /// A label for so many units of the first line.
    pub(crate) fn label_of_units(&self, number: &str, units: u32) -> Label {
        let lines = Some(vec![LabelLine { line: line_of(1), quantity: units }]);
        Label { lines, ..label::label(&self.ports, &[number]) }
    }
}
