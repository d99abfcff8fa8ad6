//! What holds for all filters and resources.

use super::*;
use crate::schema::ResourceType;

const PATHS: [&str; 8] = [
    "userName",
    "title",
    "active",
    "emails",
    "emails.type",
    "emails.primary",
    "name.givenName",
    "unknown",
];

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        "[a-c%_\"\\\\ ]{0,3}|\\PC{0,4}".prop_map(Literal::String),
        any::<bool>().prop_map(Literal::Bool),
        Just(Literal::Null),
        any::<i64>().prop_map(|n| Literal::Number(n.into())),
        any::<f64>().prop_filter_map("finite", |n| Number::from_f64(n).map(Literal::Number)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop::sample::select(Op::ALL.to_vec())
}

fn path(paths: &'static [&'static str]) -> impl Strategy<Value = AttributePath> {
    prop::sample::select(paths).prop_map(|text| AttributePath::parse(text).unwrap())
}

fn term(paths: &'static [&'static str]) -> impl Strategy<Value = Filter> {
    prop_oneof![
        (path(paths), op(), literal()).prop_map(|(path, op, value)| Filter::Compare {
            path,
            op,
            value
        }),
        path(paths).prop_map(Filter::Present),
    ]
}

/// Filters in normal form over these terms.
fn combine(terms: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    terms
        .prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                inner
                    .clone()
                    .prop_map(|filter| Filter::Not(Box::new(filter))),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
                (inner.clone(), inner).prop_map(|(a, b)| or(a, b)),
            ]
        })
        .boxed()
}

fn or(a: Filter, b: Filter) -> Filter {
    let terms = [a, b].into_iter().flat_map(|filter| match filter {
        Filter::Or(terms) => terms,
        one => vec![one],
    });
    Filter::Or(terms.collect())
}

fn filter() -> BoxedStrategy<Filter> {
    let inner = combine(term(&["type", "value", "primary", "unknown"]).boxed());
    let bracket =
        (path(&["emails", "phoneNumbers"]), inner).prop_map(|(path, filter)| Filter::Value {
            path,
            filter: Box::new(filter),
        });
    combine(prop_oneof![4 => term(&PATHS), 1 => bracket].boxed())
}

/// Filters whose literals have the type of their attribute, so that they pass the check.
fn sensible() -> BoxedStrategy<Filter> {
    let compare = |path: &str, op, value| Filter::Compare {
        path: AttributePath::parse(path).unwrap(),
        op,
        value,
    };
    let text = "[a-cA-C]{0,2}".prop_map(Literal::String).boxed();
    let strings = prop::sample::select(vec![
        "userName",
        "title",
        "emails",
        "emails.type",
        "name.givenName",
        "unknown",
    ]);
    let whole = prop_oneof![
        (strings, op(), text.clone()).prop_map(move |(path, op, value)| compare(path, op, value)),
        (
            prop::sample::select(vec!["active", "emails.primary"]),
            any::<bool>(),
            any::<bool>()
        )
            .prop_map(move |(path, eq, truth)| compare(
                path,
                if eq { Op::Eq } else { Op::Ne },
                Literal::Bool(truth)
            )),
        path(&PATHS).prop_map(Filter::Present),
    ];
    let element = prop_oneof![
        (
            prop::sample::select(vec!["type", "value", "unknown"]),
            op(),
            text
        )
            .prop_map(move |(path, op, value)| compare(path, op, value)),
        path(&["type", "value", "primary"]).prop_map(Filter::Present),
    ];
    let bracket = combine(element.boxed()).prop_map(|filter| Filter::Value {
        path: AttributePath::parse("emails").unwrap(),
        filter: Box::new(filter),
    });
    combine(prop_oneof![3 => whole, 1 => bracket].boxed())
}

fn resource() -> impl Strategy<Value = Value> {
    let text = || prop::option::of("[a-cA-C]{0,3}");
    let email =
        (text(), text(), prop::option::of(any::<bool>())).prop_map(|(value, kind, primary)| {
            without_nulls(json!({ "value": value, "type": kind, "primary": primary }))
        });
    (
        text(),
        text(),
        text(),
        prop::option::of(any::<bool>()),
        prop::option::of(prop::collection::vec(email, 0..3)),
    )
        .prop_map(|(user_name, title, given_name, active, emails)| {
            without_nulls(json!({
                "userName": user_name, "title": title, "active": active, "emails": emails,
                "name": given_name.map(|name| json!({ "givenName": name })),
            }))
        })
}

fn without_nulls(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// The rules once more, slowly: every comparison by itself on plain JSON, with no resolving and nothing prepared.
fn naive(filter: &Filter, scope: &Value) -> bool {
    match filter {
        Filter::And(terms) => terms.iter().all(|term| naive(term, scope)),
        Filter::Or(terms) => terms.iter().any(|term| naive(term, scope)),
        Filter::Not(inner) => !naive(inner, scope),
        Filter::Present(path) => {
            !path.as_str().contains("unknown") && leaves(path.as_str(), scope).iter().any(there)
        }
        Filter::Compare { path, .. } if path.as_str().contains("unknown") => false,
        Filter::Compare { path, op, value } => {
            let path = if path.as_str() == "emails" {
                "emails.value"
            } else {
                path.as_str()
            };
            leaves(path, scope)
                .iter()
                .any(|have| naive_compare(have, *op, value))
        }
        Filter::Value { path, filter } => {
            let elements = scope
                .get(path.as_str())
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            elements
                .iter()
                .any(|element| there(element) && naive(filter, element))
        }
    }
}

fn there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => elements.iter().any(there),
        Value::Object(members) => members.values().any(there),
        _ => true,
    }
}

/// The values at a path; `null` where there is none.
fn leaves(path: &str, scope: &Value) -> Vec<Value> {
    let (name, sub) = path
        .split_once('.')
        .map_or((path, None), |(name, sub)| (name, Some(sub)));
    let elements = match scope.get(name) {
        Some(Value::Array(elements)) if !elements.is_empty() => elements.clone(),
        Some(Value::Array(_)) | None => vec![Value::Null],
        Some(one) => vec![one.clone()],
    };
    let part = |element: Value| {
        sub.map_or(element.clone(), |sub| {
            element.get(sub).cloned().unwrap_or_default()
        })
    };
    elements.into_iter().map(part).collect()
}

fn naive_compare(have: &Value, op: Op, want: &Literal) -> bool {
    match (have, want) {
        (Value::String(have), Literal::String(want)) => {
            let (have, want) = (have.to_lowercase(), want.to_lowercase());
            match op {
                Op::Eq => have == want,
                Op::Ne => have != want,
                Op::Co => have.contains(&want),
                Op::Sw => have.starts_with(&want),
                Op::Ew => have.ends_with(&want),
                Op::Gt => have > want,
                Op::Ge => have >= want,
                Op::Lt => have < want,
                Op::Le => have <= want,
            }
        }
        (Value::Bool(have), Literal::Bool(want)) => (have == want) == (op == Op::Eq),
        _ => op == Op::Ne,
    }
}

fn holds(filter: &Filter, resource_type: &ResourceType, resource: &Value) -> bool {
    filter
        .check(resource_type, Profile::Lenient)
        .unwrap()
        .matches(resource.as_object().unwrap())
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(filter in filter()) {
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn reading_never_panics(text in "\\PC{0,60}|[a-z .\\[\\]()\"\\\\0-9]{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
    }

    #[test]
    fn matching_never_panics(filter in filter(), resource in resource(), garbage in "\\PC{0,4}") {
        let catalog = Catalog::standard();
        if let Ok(checked) = filter.check(catalog.user(), Profile::Lenient) {
            checked.matches(resource.as_object().unwrap());
            let odd = json!({ "emails": garbage, "active": [[garbage]], "name": 5, "userName": { "x": [] } });
            checked.matches(odd.as_object().unwrap());
        }
    }

    #[test]
    fn a_checked_filter_agrees_with_the_rules_applied_slowly(filter in sensible(), resource in resource()) {
        let catalog = Catalog::standard();
        prop_assert_eq!(holds(&filter, catalog.user(), &resource), naive(&filter, &resource), "{} on {}", filter, resource);
    }

    #[test]
    fn de_morgan(a in sensible(), b in sensible(), resource in resource()) {
        let catalog = Catalog::standard();
        let not = |filter: Filter| Filter::Not(Box::new(filter));
        let left = not(a.clone().and(b.clone()));
        let right = or(not(a), not(b));
        prop_assert_eq!(holds(&left, catalog.user(), &resource), holds(&right, catalog.user(), &resource));
    }
}
