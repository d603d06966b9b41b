//! The OpenAPI document: what every operation has, beside what each says of itself.

use roundtrip_api::problem::{MEDIA_TYPE, Problem};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, ResponseBuilder, Type};
use utoipa::{Modify, OpenApi as _};

const BEARER: &str = "bearer";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Roundtrip",
        description = "Keeps Shopify stores in step: stores, connections, product links, orders. Every error is a problem \
                       (RFC 9457) that names the field and the remedy; every answer carries its `X-Request-Id`.",
        license(name = "proprietary")
    ),
    components(schemas(Problem)),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Head;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("`roundtrip token` makes one"));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    }
}

/// The document before any operation.
pub(super) fn head() -> OpenApi {
    Head::openapi()
}

/// Says of every operation how it fails, and of those that create something how to repeat them.
pub(super) fn complete(document: &mut OpenApi) {
    for path in document.paths.paths.values_mut() {
        if let Some(operation) = &mut path.post {
            let key = ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .description(Some("Repeated with the same key within a day, the request is carried out once."))
                .schema(Some(
                    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(100)).pattern(
                        // A header's value has no control characters, and no blanks around it.
                        Some("^[!-~]+$"),
                    ),
                ));
            operation.parameters.get_or_insert_default().push(key.build().into());
        }
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
        operations.into_iter().flatten().for_each(fails);
    }
}

fn fails(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new()
        .description("Not carried out: `code` says why, `remedy` what to do.")
        .content(MEDIA_TYPE, content)
        .build();
    operation.responses.responses.insert("default".to_owned(), problem.into());
}
