//! A route of the admin API: what a request must look like, what its sender must have, what it is answered, and by whom.
//! From this are made the router, the checks before every handler, and the API's description.

use super::once;
use super::parameters::Parameter;
use crate::app::App;
use axum::Extension;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use http::{Method, StatusCode};
use portreeve_directory::Permission;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

/// Writes the schema of a type down.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A route with whoever answers.
pub(super) struct Route {
    pub(super) is: Operation,
    handler: MethodRouter<Arc<App>>,
}

/// What there is to know of a route. A handler finds the one that it answers among the extensions of its request.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// Below `/api/v1`, with `{parameters}`.
    pub(super) path: &'static str,
    /// What the sender needs; `None`: it is open to everybody.
    pub(super) needs: Option<Permission>,
    /// What it does, in a few words.
    pub(super) summary: &'static str,
    /// The name in programs, where it is not made of path and method.
    pub(super) name: Option<&'static str>,
    /// The parameters of the query; any other is refused.
    pub(super) query: &'static [Parameter],
    /// The body of a request.
    pub(super) takes: Option<Shape>,
    /// The answer to one that is carried out.
    pub(super) gives: Gives,
    /// Whether it is carried out by the local socket only.
    pub(super) only_here: bool,
    /// Whether the object has an entity tag; those with an id of their own in the path have one.
    pub(super) tagged: bool,
}

/// What the answer to a request that was carried out has in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gives {
    /// No body.
    Nothing,
    /// One object.
    Object(Shape),
    /// One object, with a header `Location` where it has an address.
    Made(Shape),
    /// A whole list.
    List(Shape),
    /// A page of a list, with a header `Link` where it goes on.
    Page(Shape),
    /// The same, or the items as server-sent events.
    Feed(Shape),
    /// A file of one of these media types.
    File(&'static [&'static str]),
}

/// A route whose sender needs a permission.
pub(super) fn route<H, T>(
    method: Method,
    path: &'static str,
    needs: Permission,
    summary: &'static str,
    handler: H,
) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route::new(method, path, Some(needs), summary, on(filter, handler))
}

/// A route that anybody may use, because it tells nothing about anybody.
pub(super) fn open<H, T>(path: &'static str, summary: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    Route::new(Method::GET, path, None, summary, get(handler))
}

impl Route {
    fn new(
        method: Method,
        path: &'static str,
        needs: Option<Permission>,
        summary: &'static str,
        handler: MethodRouter<Arc<App>>,
    ) -> Self {
        let changes_one = matches!(
            method,
            Method::GET | Method::PUT | Method::PATCH | Method::DELETE
        );
        Self {
            is: Operation {
                tagged: changes_one && path.ends_with('}'),
                method,
                path,
                needs,
                summary,
                name: None,
                query: &[],
                takes: None,
                gives: Gives::Nothing,
                only_here: false,
            },
            handler,
        }
    }

    /// Takes a `T` in the body of its request.
    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        self.is.takes = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Answers with a `T`.
    pub(super) fn gives<T: JsonSchema>(self) -> Self {
        self.giving(Gives::Object(|generator| generator.subschema_for::<T>()))
    }

    /// Answers with a `T` that it has made. Sent again with the same `Idempotency-Key` it makes nothing more.
    pub(super) fn makes<T: JsonSchema>(self) -> Self {
        self.giving(Gives::Made(|generator| generator.subschema_for::<T>()))
    }

    /// Answers with all there are.
    pub(super) fn lists<T: JsonSchema>(self) -> Self {
        self.giving(Gives::List(|generator| generator.subschema_for::<Vec<T>>()))
    }

    /// Answers with a page of them.
    pub(super) fn pages<T: JsonSchema>(self) -> Self {
        self.giving(Gives::Page(|generator| generator.subschema_for::<Vec<T>>()))
    }

    /// Answers with a `T`, or with server-sent events to whoever accepts them.
    pub(super) fn feeds<T: JsonSchema>(self) -> Self {
        self.giving(Gives::Feed(|generator| generator.subschema_for::<T>()))
    }

    /// Answers with a file of one of these media types.
    pub(super) fn sends(self, media_types: &'static [&'static str]) -> Self {
        self.giving(Gives::File(media_types))
    }

    fn giving(mut self, gives: Gives) -> Self {
        self.is.gives = gives;
        self
    }

    /// Knows these parameters in the query.
    pub(super) fn query(mut self, parameters: &'static [Parameter]) -> Self {
        self.is.query = parameters;
        self
    }

    /// Has another name in programs than path and method make.
    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.is.name = Some(name);
        self
    }

    /// Is carried out through the local socket only.
    pub(super) fn only_here(mut self) -> Self {
        self.is.only_here = true;
        self
    }

    /// Is about an object that there is one of, which has an entity tag.
    pub(super) fn tagged(mut self) -> Self {
        self.is.tagged = true;
        self
    }

    /// Is about what has no entity tag, because it is worked out for whoever asks.
    pub(super) fn untagged(mut self) -> Self {
        self.is.tagged = false;
        self
    }

    /// Whoever answers, behind what all routes have in common.
    pub(super) fn into_handler(self, app: &Arc<App>) -> MethodRouter<Arc<App>> {
        let handler = match self.is.is_once() {
            true => {
                let guard = from_fn_with_state(app.clone(), once::guard);
                self.handler.layer(guard)
            }
            false => self.handler,
        };
        handler.layer(Extension(Arc::new(self.is)))
    }
}

impl Operation {
    /// The name in programs, as the command line has it: the noun, a dot, the verb.
    pub(super) fn id(&self) -> String {
        if let Some(name) = self.name {
            return name.to_owned();
        }
        let parts: Vec<&str> = self.path.split('/').skip(1).collect();
        let is_object = self.path.ends_with('}');
        let names: Vec<&str> = parts
            .into_iter()
            .filter(|it| !it.starts_with('{'))
            .collect();
        let last = names.last().copied().unwrap_or_default();
        let is_plural = last.ends_with('s') && last != "status";
        let verb = match self.method {
            Method::GET if is_plural && !is_object => "list",
            Method::GET => "get",
            Method::POST if is_plural => "create",
            Method::PUT => "replace",
            Method::PATCH => "update",
            Method::DELETE => "delete",
            // What is done to an object is the last part of its path.
            _ => {
                let noun = names.iter().rev().nth(1).copied().unwrap_or_default();
                return format!("{}.{}", singular(noun), snake(last));
            }
        };
        format!("{}.{verb}", singular(last))
    }

    /// The noun that it is about.
    pub(super) fn noun(&self) -> String {
        let id = self.id();
        id.split('.').next().unwrap_or_default().to_owned()
    }

    /// Whether a request that is sent twice is carried out once.
    pub(super) fn is_once(&self) -> bool {
        self.method == Method::POST && matches!(self.gives, Gives::Made(_))
    }

    /// The status of the answer to a request that was carried out.
    pub(super) fn status(&self) -> StatusCode {
        match self.gives {
            Gives::Nothing => StatusCode::NO_CONTENT,
            Gives::Made(_) => StatusCode::CREATED,
            _ => StatusCode::OK,
        }
    }
}

fn singular(noun: &str) -> String {
    match noun.strip_suffix("ies") {
        Some(stem) => snake(stem) + "y",
        None => snake(noun.strip_suffix('s').unwrap_or(noun)),
    }
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}
