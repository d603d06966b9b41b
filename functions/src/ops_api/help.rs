//! Codes in words. Open to all: they say nothing of anybody.

use roundtrip_api::problem::ProblemCode;
use roundtrip_domain::code::Code;
use roundtrip_domain::exceptions::ExceptionCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::Path;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct CodePath {
    /// Of a step, of a warning, or of a problem.
    #[param(example = "LOCATION_UNMAPPED")]
    code: String,
}

/// A code in words: what it means and what to do.
#[utoipa::path(get, path = "/v1/help/{code}", tag = "help", security(()), params(CodePath),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn help(Path(CodePath { code }): Path<CodePath>) -> Result<String, ApiError> {
    let unknown = (code == Code::Unknown.name()).then_some(ExceptionCode::Parked(Code::Unknown));
    if let Some(code) = ExceptionCode::named(&code).or(unknown) {
        return Ok(format!("{code}\n\nWhat it means: {}.\n\nWhat to do: {}.\n", code.meaning(), code.remedy()));
    }
    if let Some(code) = ProblemCode::ALL.iter().find(|known| known.name() == code) {
        return Ok(format!(
            "{code}\n\nWhat it means: {}.\n\nWhat to do: what the answer's `remedy` says.\n",
            code.title()
        ));
    }
    Err(ApiError::not_found("there is no such code", "docs/API.md lists them"))
}
