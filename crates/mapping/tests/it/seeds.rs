//! The expressions of the vendors whose set-up guides this program follows.

use crate::case::check;

const UPN: &str =
    r#"ToLower(Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , ))"#;
const INITIAL: &str = r#"ToLower(Replace(Replace([userPrincipalName], , "(?<=^.{1}).\w+.\.", "", "", , ), , "(@(.)*)","","" , ,))"#;
const NO_DOTS: &str = r#"ToLower(Replace(Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , ), ".", , ,"", , ))"#;

#[test]
fn vendors_expressions_give_what_vendors_say() {
    let bill = r#""userPrincipalName": "Bill.Gates@contoso.com""#;
    check(&[
        ("part before the domain", UPN, bill, "bill.gates"),
        ("initial and last name", INITIAL, bill, "bgates"),
        ("without dots", NO_DOTS, bill, "billgates"),
        (
            "active",
            "Not([IsSoftDeleted])",
            r#""IsSoftDeleted": true"#,
            "False",
        ),
        (
            "second mail",
            r#"Item(Split(Coalesce([otherMails], ","), ","), 1)"#,
            r#""otherMails": ["a@b.c"]"#,
            "a@b.c",
        ),
    ]);
}

/// The second expression needs three letters between the initial and the dot; whom it misses, the linter tells.
#[test]
fn the_expression_for_initials_misses_short_names() {
    for (upn, expected) in [
        ("amy.lee@contoso.com", "amy.lee"),
        ("bob.smith@contoso.com", "bob.smith"),
        ("Jo.Li@contoso.com", "jo.li"),
        ("mary-ann.lee@contoso.com", "mary-ann.lee"),
        ("alex.de.la.cruz@contoso.com", "ade.la.cruz"),
    ] {
        let attributes = format!("\"userPrincipalName\": \"{upn}\"");
        check(&[(upn, INITIAL, attributes.as_str(), expected)]);
    }
}
