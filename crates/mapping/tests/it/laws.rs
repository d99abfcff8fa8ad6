//! What holds for any input.

use portreeve_mapping::functions::{self, Presence};
use portreeve_mapping::{Context, Expression, MAX_OUTPUT_BYTES, Number, Object, Outcome, Value};
use proptest::prelude::*;

use crate::case::NOW;

const ATTRIBUTES: [&str; 5] = ["a", "mail", "list", "flag", "missing"];

/// Texts of expressions that can be read, most of the time.
fn expression() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        prop::sample::select(ATTRIBUTES.to_vec()).prop_map(|name| format!("[{name}]")),
        "[a-zA-Z0-9 .@\\\\\"$(){}*+?|-]{0,12}".prop_map(|text| Expression::quote(&text)),
        prop::sample::select(vec![
            "d",
            "yyyy",
            "yyyy-MM-dd",
            "2024-03-09",
            "True",
            "tr-TR"
        ])
        .prop_map(Expression::quote),
        any::<i64>().prop_map(|number| number.to_string()),
        (-30_i64..30).prop_map(|number| number.to_string()),
        (-999_i64..999).prop_map(|number| format!("{}.5", number)),
        Just("vbTextCompare".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 7, |inner| {
        let call = (
            prop::sample::select(functions::ALL.to_vec()),
            prop::collection::vec(
                prop_oneof![5 => inner.clone(), 1 => Just(String::new())],
                0..8,
            ),
        );
        let call = call.prop_map(|(function, mut slots)| {
            let required = function
                .parameters
                .iter()
                .filter(|it| it.presence == Presence::Required);
            slots.resize(slots.len().max(required.count()), "[a]".to_owned());
            if !function
                .parameters
                .iter()
                .any(|it| it.presence == Presence::Repeated)
            {
                slots.truncate(function.parameters.len());
            }
            format!("{}({})", function.name, slots.join(","))
        });
        let operators = vec!["=", "<>", "<", ">=", ">", "<="];
        let comparison = (inner.clone(), prop::sample::select(operators), inner);
        let comparison = comparison.prop_map(|(a, op, b)| format!("IIF({a} {op} {b}, \"y\", {b})"));
        prop_oneof![4 => call, 1 => comparison]
    })
    .boxed()
}

fn source() -> impl Strategy<Value = Object> {
    let text = "\\PC{0,12}|[a-z.@ -]{0,20}";
    (text, text, prop::collection::vec(text, 0..4), any::<bool>()).prop_map(
        |(a, mail, list, flag)| {
            let mut object = Object::new();
            object.set("a", a);
            object.set("mail", mail);
            let items = list.into_iter().map(Value::text).collect();
            object.set("list", Value::List(items));
            object.set("flag", flag);
            object
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is printed reads as the same expression, and prints the same again.
    #[test]
    fn printing_and_reading_are_inverse(text in expression()) {
        if let Ok(read) = Expression::parse(&text) {
            let printed = read.to_string();
            // Blanks may push a long expression over the limit.
            prop_assume!(printed.chars().count() <= portreeve_mapping::MAX_CHARS);
            let again = Expression::parse(&printed).map_err(|error| error.to_string());
            prop_assert_eq!(again.as_ref().map(ToString::to_string), Ok(printed));
            prop_assert_eq!(again, Ok(read));
        }
    }

    /// Evaluation ends with a value within the limits or an error, never in a panic, and always the same way.
    #[test]
    fn evaluation_is_total_and_the_same_every_time(text in expression(), object in source()) {
        if let Ok(expression) = Expression::parse(&text) {
            let random = |bytes: &mut [u8]| bytes.fill(3);
            let context = Context::at(NOW.parse().unwrap())
                .with_random(&random)
                .with_default_domain("contoso.com");
            let outcome = expression.evaluate(&object, &context);
            if let Ok(Outcome::Value(Value::Text(text))) = &outcome {
                prop_assert!(text.len() <= MAX_OUTPUT_BYTES);
            }
            prop_assert_eq!(&outcome, &expression.evaluate(&object, &context));
            let mut unmatched = Vec::new();
            prop_assert_eq!(&outcome, &expression.evaluate_traced(&object, &context, &mut unmatched));
        }
    }

    /// Any text at all is read or refused at a place inside it.
    #[test]
    fn reading_is_total(text in "\\PC{0,40}|[A-Z(\\[\\]\"),a-z ]{0,40}") {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(error.offset <= text.len());
            prop_assert!(text.is_char_boundary(error.offset));
        }
    }

    /// A constant is itself, whatever it contains.
    #[test]
    fn constants_are_themselves(text in "\\PC{0,40}") {
        let expression = Expression::constant(&text).unwrap();
        prop_assert_eq!(expression.as_constant(), Some(text.as_str()));
    }

    /// Any text is a regular expression or refused, and a replaced text is one that was made from the old.
    #[test]
    fn patterns_are_total(pattern in "\\PC{0,12}|[\\[\\]()a-c?<>=!:*+{}1,\\\\dwn^$|-]{0,16}", text in "[a-c\n-]{0,12}") {
        let quoted = Expression::quote(&pattern);
        let same = format!("Replace([a], , {quoted}, , \"$&\", , )");
        if let Ok(expression) = Expression::parse(&same) {
            let object = Object::from_iter([("a", text.as_str())]);
            let context = Context::at(NOW.parse().unwrap());
            if let Ok(outcome) = expression.evaluate(&object, &context) {
                prop_assert_eq!(outcome, Outcome::Value(Value::text(text.as_str())));
            }
        }
    }

    /// Ticks of a date are the date again, to the last one.
    #[test]
    fn ticks_are_exact(ticks in 0_i64..2_650_467_743_999_999_999) {
        let text = format!("NumFromDate(DateFromNum({ticks}))");
        let expression = Expression::parse(&text).unwrap();
        let object = Object::new();
        let outcome = expression.evaluate(&object, &Context::at(NOW.parse().unwrap()));
        prop_assert_eq!(outcome, Ok(Outcome::Value(Value::Number(Number::Integer(ticks)))));
    }

    /// `DateDiff` counts what `DateAdd` added.
    #[test]
    fn adding_and_counting_agree(count in -9_999_i64..9_999, interval in prop::sample::select(vec!["yyyy", "m", "ww", "d", "h", "n", "s"])) {
        let count = if interval == "yyyy" { count / 10 } else { count };
        let text = format!("DateDiff(\"{interval}\", Now(), DateAdd(\"{interval}\", {count}, Now()))");
        let expression = Expression::parse(&text).unwrap();
        let object = Object::new();
        let outcome = expression.evaluate(&object, &Context::at(NOW.parse().unwrap()));
        prop_assert_eq!(outcome, Ok(Outcome::Value(Value::Number(Number::Integer(count)))));
    }
}
