//! `/openapi.json`: the description of the API (OpenAPI 3.1), made from the table of its routes and from the types that
//! their handlers read and write.

use super::once::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, LONGEST};
use super::problem::Problem;
use super::route::{Gives, Operation, Shape};
use super::{ROOT, problem, reply, routes};
use crate::admin;
use crate::tags::{self, Wanted};
use crate::who::SESSION;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use portreeve_directory::Permission;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The description as text, with its entity tag.
static DOCUMENT: LazyLock<(String, String)> = LazyLock::new(|| {
    let document = describe(&routes::table().iter().map(|it| &it.is).collect::<Vec<_>>());
    let tag = format!("\"{}\"", admin::version(&document));
    (document.to_string(), tag)
});

/// The statuses with which a request may be refused, and when.
const REFUSALS: &[(StatusCode, &str, &str)] = &[
    (
        StatusCode::BAD_REQUEST,
        "Invalid",
        "The request makes no sense; `detail` names the member or parameter",
    ),
    (
        StatusCode::UNAUTHORIZED,
        "NotSignedIn",
        "Nobody is signed in, or the token or session is over",
    ),
    (
        StatusCode::FORBIDDEN,
        "Forbidden",
        "The permission is missing that `detail` names, or it is done on the machine of the server only",
    ),
    (
        StatusCode::NOT_FOUND,
        "NotFound",
        "There is no such thing, or it is another team's",
    ),
    (
        StatusCode::REQUEST_TIMEOUT,
        "TooSlow",
        "The body did not arrive in time",
    ),
    (
        StatusCode::CONFLICT,
        "Conflict",
        "Something else is in the way: a name that is taken, an object that a directory manages, a request that is under way",
    ),
    (
        StatusCode::GONE,
        "Gone",
        "The feed does not have everything after that position any more; `position` says where to go on after reading everything anew",
    ),
    (
        StatusCode::PRECONDITION_FAILED,
        "Changed",
        "The object has changed since its entity tag was read",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "TooLarge",
        "The body is larger than 1 MiB",
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "MediaType",
        "The body is not said to be JSON",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "OtherRequest",
        "The `Idempotency-Key` was sent with another body",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "TooMany",
        "Too many requests; the header `Retry-After` says when to come again",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "Failed",
        "The server failed; its log has the cause under the `X-Request-Id` of the answer",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy",
        "The server has too much to do; the header `Retry-After` says when to come again",
    ),
];

/// The description.
pub(super) async fn document(headers: HeaderMap) -> Result<Response, Problem> {
    let (text, tag) = &*DOCUMENT;
    let known = match tags::read(&headers, &IF_NONE_MATCH) {
        Ok(Some(Wanted::Any)) => true,
        Ok(Some(Wanted::Tags(known))) => known.contains(&tags::opaque(tag)),
        Ok(None) | Err(_) => false,
    };
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => reply::text(StatusCode::OK, text.clone()),
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// Writes schemas: those of answers once, under their names; those of requests where they are.
struct Schemas {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

fn describe(operations: &[&Operation]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    let mut schemas = Schemas {
        answers: settings.clone().for_serialize().into_generator(),
        requests: settings
            .with(|it| it.inline_subschemas = true)
            .for_deserialize()
            .into_generator(),
    };
    let mut paths: Map<String, Value> = Map::new();
    let mut nouns: BTreeMap<String, Value> = BTreeMap::new();
    for operation in operations {
        let noun = operation.noun();
        nouns.insert(noun.clone(), json!({"name": noun}));
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = described(operation, &mut schemas);
    }
    let mut forms = schemas.answers.take_definitions(true);
    forms.insert("Problem".to_owned(), problem::schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portreeve",
            "summary": "The admin API",
            "description": "Everything that can be done in the console can be done here. The manual's chapter on the API says what all routes have in common.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "tags": nouns.into_values().collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, or the session that `portreeve login` begins",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION,
                    "description": "The session of a browser; what it changes must be sent by a page of this server",
                },
            },
            "responses": refusals(),
            "headers": headers(),
            "schemas": forms,
        },
    })
}

fn described(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut described = json!({
        "operationId": operation.id(),
        "tags": [operation.noun()],
        "summary": operation.summary,
        "description": description(operation),
        "parameters": parameters(operation),
        "responses": responses(operation, &mut schemas.answers),
    });
    if let Some(shape) = operation.takes {
        let schema = shape(&mut schemas.requests);
        let is_required = schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|members| !members.is_empty());
        described["requestBody"] = json!({
            "required": is_required,
            "content": {"application/json": {"schema": schema}},
        });
    }
    described["security"] = match operation.needs {
        None => json!([]),
        Some(needed) => {
            described["x-permission"] = json!(needed.name());
            json!([{"token": []}, {"session": []}])
        }
    };
    if operation.only_here {
        described["x-local-only"] = json!(true);
    }
    described
}

fn description(operation: &Operation) -> String {
    let mut text = match operation.needs {
        None => "Open to everybody.".to_owned(),
        Some(Permission::Oneself) => "Everybody who is signed in may do this.".to_owned(),
        Some(needed) => format!("Needs the permission `{needed}`: {}.", needed.meaning()),
    };
    if operation.only_here {
        text.push_str(" Done through the local socket only.");
    }
    text
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": {"type": "string", "minLength": 1},
        })
    });
    let mut all: Vec<Value> = in_path.collect();
    all.extend(operation.query.iter().map(|it| it.described()));
    let header = |name: &str, meaning: &str, schema: Value| json!({"name": name, "in": "header", "description": meaning, "schema": schema});
    // Their forms are said in words: HTTP takes away blanks around the value, so that no pattern says what arrives.
    let of_text = json!({"type": "string"});
    match operation.method {
        Method::GET if operation.tagged => all.push(header(
            IF_NONE_MATCH.as_str(),
            "Entity tags of what is known; the answer is 304 where it is still the same. What is no entity tag is that of nothing",
            of_text.clone(),
        )),
        _ if operation.tagged => all.push(header(
            IF_MATCH.as_str(),
            "The entity tag that the object was read with; the answer is 412 where it is another one by now",
            of_text.clone(),
        )),
        _ => {}
    }
    if operation.is_once() {
        all.push(header(
            IDEMPOTENCY_KEY.as_str(),
            &format!("Up to {LONGEST} visible ASCII characters of the sender's choice, such as a UUID. The same request with the same key within a day makes nothing more, and is answered as it was"),
            of_text,
        ));
    }
    all
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut all: Map<String, Value> = Map::new();
    let mut carried_out = json!({"description": "It was carried out"});
    let json_of = |schema: Shape, schemas: &mut SchemaGenerator| json!({"application/json": {"schema": schema(schemas)}});
    let mut headers = vec!["X-Request-Id"];
    match operation.gives {
        Gives::Nothing => {}
        Gives::Object(shape) | Gives::List(shape) => {
            carried_out["content"] = json_of(shape, schemas);
        }
        Gives::Made(shape) => {
            carried_out["content"] = json_of(shape, schemas);
            headers.extend(["Location", "Idempotency-Replayed"]);
        }
        Gives::Page(shape) => {
            carried_out["content"] = json_of(shape, schemas);
            headers.extend(["Link", "X-Total-Count"]);
        }
        Gives::Feed(shape) => {
            carried_out["content"] = json_of(shape, schemas);
            carried_out["content"]["text/event-stream"] = json!({"schema": {"type": "string"}});
        }
        Gives::File(media_types) => {
            let content = media_types.iter().map(|it| ((*it).to_owned(), json!({})));
            carried_out["content"] = content.collect::<Map<_, _>>().into();
        }
    }
    if operation.tagged && operation.method != Method::DELETE {
        headers.push("ETag");
    }
    carried_out["headers"] = headers
        .into_iter()
        .map(|name| (name.to_owned(), reference("headers", name)))
        .collect::<Map<_, _>>()
        .into();
    all.insert(operation.status().as_str().to_owned(), carried_out);
    if operation.tagged && operation.method == Method::GET {
        let known = json!({
            "description": "It is as the sender knows it",
            "headers": {"ETag": reference("headers", "ETag")},
        });
        all.insert("304".to_owned(), known);
    }
    for (status, name, _) in REFUSALS {
        if may_be(operation, *status) {
            all.insert(status.as_str().to_owned(), reference("responses", name));
        }
    }
    Value::Object(all)
}

/// Whether a route may answer with this refusal.
fn may_be(operation: &Operation, status: StatusCode) -> bool {
    let changes = operation.method != Method::GET;
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => operation.needs.is_some(),
        StatusCode::NOT_FOUND => {
            operation.path.contains('{') || !operation.query.is_empty() || changes
        }
        StatusCode::CONFLICT => changes,
        StatusCode::GONE => matches!(operation.gives, Gives::Feed(_)),
        StatusCode::PRECONDITION_FAILED => operation.tagged && changes,
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => operation.takes.is_some() || operation.is_once(),
        StatusCode::UNPROCESSABLE_ENTITY => operation.is_once(),
        _ => true,
    }
}

fn refusals() -> Map<String, Value> {
    let refusal = |(status, name, meaning): &(StatusCode, &str, &str)| {
        let mut refusal = json!({
            "description": meaning,
            "headers": {"X-Request-Id": reference("headers", "X-Request-Id")},
            "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
        });
        let later = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        if later.contains(status) {
            refusal["headers"]["Retry-After"] = reference("headers", "Retry-After");
        }
        ((*name).to_owned(), refusal)
    };
    REFUSALS.iter().map(refusal).collect()
}

fn headers() -> Value {
    let text = |meaning: &str| json!({"description": meaning, "schema": {"type": "string"}});
    let number = |meaning: &str| json!({"description": meaning, "schema": {"type": "integer"}});
    let mut all = json!({
        "ETag": text("The entity tag: the version, a dot, and a hash of what is shown. `If-Match` compares the version"),
        "Link": text("The next page, as RFC 8288 says: `<?…>; rel=\"next\"`"),
        "Location": text("The address of what was made"),
        "Retry-After": number("After how many seconds the same request may be a success"),
        "X-Request-Id": text("By which the server's log and the events name this request"),
        "X-Total-Count": number("How many items there are in all, where that is known"),
    });
    all["Idempotency-Replayed"] = text(&format!(
        "`true` in an answer that was given before to the same request ({IDEMPOTENCY_REPLAYED})"
    ));
    all
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}
