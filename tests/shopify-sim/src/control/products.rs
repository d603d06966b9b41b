//! What a shop sells: new, changed, gone. Each is told by webhook.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::{Answer, CommandError, Count, NewVariant, VariantChange, change};
use crate::change::Change;
use crate::engine::Engine;
use crate::state::{Ids, Shop, Variant};
use crate::webhooks::{Topic, deleted_product_body, product_body};

/// Sells a new variant, or changes the one of that SKU.
pub(super) async fn set_variant(
    State(engine): State<Arc<Engine>>,
    Path(shop): Path<String>,
    Json(new): Json<NewVariant>,
) -> Answer<Variant> {
    change(&engine, &shop, |change| {
        let is_new = change.shop.variant_by(&new.sku).is_none() && new.beside.is_none();
        let variant = put_variant(change.shop, change.ids, new)?;
        product_changed(change, if is_new { Topic::ProductsCreate } else { Topic::ProductsUpdate }, variant.product_id);
        Ok(Json(variant))
    })
}

/// Gives a variant another SKU or barcode: also one that another variant has.
pub(super) async fn change_variant(
    State(engine): State<Arc<Engine>>,
    Path((shop, variant)): Path<(String, String)>,
    Json(to): Json<VariantChange>,
) -> Answer<Variant> {
    change(&engine, &shop, |change| {
        let id = change.shop.variant_by(&variant).ok_or(CommandError::NotFound("variant"))?.id;
        let known = change.shop.variants.iter_mut().find(|it| it.id == id);
        let known = known.ok_or(CommandError::NotFound("variant"))?;
        if let Some(sku) = to.sku {
            known.sku = sku;
        }
        if let Some(barcode) = to.barcode {
            known.barcode = (!barcode.is_empty()).then_some(barcode);
        }
        let variant = known.clone();
        product_changed(change, Topic::ProductsUpdate, variant.product_id);
        Ok(Json(variant))
    })
}

/// Takes a variant out of its product; the last one takes the product along.
pub(super) async fn delete_variant(
    State(engine): State<Arc<Engine>>,
    Path((shop, variant)): Path<(String, String)>,
) -> Answer<Count> {
    change(&engine, &shop, |change| {
        let gone = change.shop.variant_by(&variant).cloned().ok_or(CommandError::NotFound("variant"))?;
        change.shop.variants.retain(|it| it.id != gone.id);
        if change.shop.variants_of(gone.product_id).next().is_some() {
            product_changed(change, Topic::ProductsUpdate, gone.product_id);
        } else {
            change.happened(Topic::ProductsDelete, deleted_product_body(gone.product_id));
        }
        Ok(Json(Count { count: 1 }))
    })
}

/// Deletes a product with all its variants.
pub(super) async fn delete_product(
    State(engine): State<Arc<Engine>>,
    Path((shop, product)): Path<(String, u64)>,
) -> Answer<Count> {
    change(&engine, &shop, |change| {
        let count = change.shop.variants_of(product).count();
        if count == 0 {
            return Err(CommandError::NotFound("product"));
        }
        change.shop.variants.retain(|it| it.product_id != product);
        change.happened(Topic::ProductsDelete, deleted_product_body(product));
        Ok(Json(Count { count }))
    })
}

fn product_changed(change: &mut Change<'_>, topic: Topic, product: u64) {
    let variants: Vec<&Variant> = change.shop.variants_of(product).collect();
    let body = product_body(&variants);
    change.happened(topic, body);
}

pub(super) fn put_variant(shop: &mut Shop, ids: &mut Ids, new: NewVariant) -> Result<Variant, CommandError> {
    let location = match &new.location {
        Some(name) => shop.locations.iter().find(|it| it.name == *name),
        None => shop.locations.first(),
    };
    let location_id = location.ok_or(CommandError::NotFound("location"))?.id;
    let beside = match &new.beside {
        Some(other) => Some(shop.variant_by(other).ok_or(CommandError::NotFound("variant"))?.product_id),
        None => None,
    };
    let known = shop.variants.iter().position(|it| it.sku == new.sku && beside.is_none());
    let (id, product_id) = match known {
        Some(at) => (shop.variants[at].id, shop.variants[at].product_id),
        None => (ids.take(), beside.unwrap_or_else(|| ids.take())),
    };
    let title = new.title.unwrap_or_else(|| new.sku.clone());
    let variant = Variant {
        id,
        product_id,
        sku: new.sku,
        barcode: new.barcode,
        title,
        price: new.price,
        location_id,
        requires_shipping: new.requires_shipping,
    };
    match known {
        Some(at) => shop.variants[at] = variant.clone(),
        None => shop.variants.push(variant.clone()),
    }
    Ok(variant)
}
