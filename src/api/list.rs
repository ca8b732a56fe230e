//! Lists of the catalogue: an object with the entries, how many there are, and the catalogue's stamp.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::{knowledge::Knowledge, representation::Representation};

/// Declares the list of one kind of entry.
macro_rules! list {
    ($(#[$doc:meta])* $name:ident of $item:ident) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        pub struct $name<'a> {
            /// The entries of this page.
            pub items: Vec<$item<'a>>,
            /// How many entries there are in all.
            #[schema(minimum = 0)]
            pub total: usize,
            /// How many entries a page holds at the most.
            #[schema(minimum = 1, maximum = 1000)]
            pub limit: usize,
            /// How many entries were passed over before this page.
            #[schema(minimum = 0)]
            pub offset: usize,
            /// The catalogue behind them.
            pub catalogue: $crate::api::stamp::CatalogueStamp,
        }

        impl<'a> $name<'a> {
            /// One page of the entries.
            pub fn page(
                entries: Vec<$item<'a>>,
                page: $crate::api::query::Page,
                catalogue: &$crate::catalogue::Catalogue,
            ) -> Self {
                Self {
                    total: entries.len(),
                    items: entries.into_iter().skip(page.offset).take(page.limit).collect(),
                    limit: page.limit,
                    offset: page.offset,
                    catalogue: $crate::api::stamp::CatalogueStamp::of(catalogue),
                }
            }
        }
    };
}
pub(crate) use list;

/// Answers with an entry or list that is rendered once and kept, where the request has no query.
pub fn respond<T: Serialize>(
    request: &HttpRequest,
    knowledge: &Knowledge,
    make: impl Fn() -> T,
) -> HttpResponse {
    if request.query_string().is_empty()
        && let Some(representation) = knowledge.rendered(request.path(), &make)
    {
        return representation.respond(request);
    }
    Representation::json(&make()).respond(request)
}
