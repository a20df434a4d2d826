//! Templates: the placeholders of envsubst are filled in, other kinds are told from nginx's own language.

mod foreign;
mod placeholder;
mod rendering;

pub(super) use foreign::refuse_foreign;
pub(super) use placeholder::{Placeholder, missing, placeholders};
pub(super) use rendering::{Rendered, Rendering, render};
