//! What mails about visitors say, in the languages of the reception.

use crate::visit_locations::Language;

/// What is told of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The visitor is here, and whoever is visited is told.
    Arrived,
    /// The visitor is here and does not know whom to ask for.
    NobodyNamed,
    /// The visitor is here, and whoever is visited cannot be told.
    NotReached,
    /// The visitor is expected.
    Expected,
    /// The visitor is expected, and nobody is named.
    ExpectedByNobody,
    /// Whoever is visited cannot be found any more, and the visitor is here.
    GoneWhileHere,
    /// The same before the visitor has come.
    GoneBefore,
}

impl Occasion {
    /// Its name in messages to programs.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Arrived | Self::NobodyNamed | Self::NotReached => "visit.arrived",
            Self::Expected | Self::ExpectedByNobody => "visit.expected",
            Self::GoneWhileHere | Self::GoneBefore => "visit.visitor_host_gone",
        }
    }
}

/// What a mail is made of. Visitors have typed some of it.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// English where none is named.
    pub(super) language: Option<Language>,
    pub(super) visitor: &'a str,
    /// May be empty, as the following two.
    pub(super) company: &'a str,
    pub(super) purpose: &'a str,
    pub(super) visitor_host: &'a str,
    pub(super) location: &'a str,
    /// By the clock on the wall of the location.
    pub(super) when: String,
    /// Where the reader answers.
    pub(super) link: Option<&'a str>,
}

/// A mail.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) subject: String,
    pub(super) body: String,
}

/// A language. `{visitor}` is the visitor with the company in brackets.
struct Words {
    /// Subject and first sentence.
    arrived: [&'static str; 2],
    nobody_named: [&'static str; 2],
    not_reached: [&'static str; 2],
    expected: [&'static str; 2],
    expected_by_nobody: [&'static str; 2],
    gone_while_here: [&'static str; 2],
    gone_before: [&'static str; 2],
    purpose: &'static str,
    when: &'static str,
    answer: &'static str,
}

/// The mail about a visit.
pub(super) fn compose(occasion: Occasion, facts: &Facts<'_>) -> Said {
    let words = words(facts.language.unwrap_or(Language::En));
    let [subject, sentence] = words.about(occasion);
    let mut parts = vec![fill(sentence, facts)];
    let mut details = vec![fill(words.when, facts)];
    if !facts.purpose.is_empty() {
        details.push(fill(words.purpose, facts));
    }
    parts.push(details.join("\n"));
    if let Some(link) = facts.link {
        parts.push(format!("{}\n{link}", words.answer));
    }
    Said {
        subject: fill(subject, facts),
        body: format!("{}\n", parts.join("\n\n")),
    }
}

impl Words {
    fn about(&self, occasion: Occasion) -> [&'static str; 2] {
        match occasion {
            Occasion::Arrived => self.arrived,
            Occasion::NobodyNamed => self.nobody_named,
            Occasion::NotReached => self.not_reached,
            Occasion::Expected => self.expected,
            Occasion::ExpectedByNobody => self.expected_by_nobody,
            Occasion::GoneWhileHere => self.gone_while_here,
            Occasion::GoneBefore => self.gone_before,
        }
    }
}

/// The text with what stands in braces put in, once: braces in what visitors have typed stay what they are.
fn fill(text: &str, facts: &Facts<'_>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        filled += before;
        match name {
            "visitor" if facts.company.is_empty() => filled += &in_one_line(facts.visitor),
            "visitor" => {
                let (visitor, company) = (in_one_line(facts.visitor), in_one_line(facts.company));
                filled += &format!("{visitor} ({company})");
            }
            "purpose" => filled += &in_one_line(facts.purpose),
            "visitor_host" => filled += &in_one_line(facts.visitor_host),
            "location" => filled += &in_one_line(facts.location),
            "when" => filled += &facts.when,
            _ => {}
        }
        rest = behind;
    }
    filled + rest
}

/// A name in one line: what ends lines or turns the direction of writing would forge what stands around it.
fn in_one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{2028}' | '\u{2029}' => ' ',
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::De => &GERMAN,
        Language::Fr => &FRENCH,
        Language::Es => &SPANISH,
    }
}

const ENGLISH: Words = Words {
    arrived: [
        "{visitor} is here to see you",
        "{visitor} has arrived at {location} and is waiting for you.",
    ],
    nobody_named: [
        "{visitor} is here and does not know whom to ask for",
        "{visitor} has arrived at {location} and does not know whom to ask for. Please see to the visitor.",
    ],
    not_reached: [
        "{visitor} is here to see {visitor_host}",
        "{visitor} has arrived at {location} to see {visitor_host}, who could not be told. Please see to the visitor.",
    ],
    expected: [
        "{visitor} is expected on {when}",
        "{visitor} is expected at {location} to see {visitor_host}. Another message follows when the visitor is here.",
    ],
    expected_by_nobody: [
        "{visitor} is expected on {when}",
        "{visitor} is expected at {location}; nobody is named who is visited. Another message follows when the visitor is here.",
    ],
    gone_while_here: [
        "{visitor} is here to see {visitor_host}, who is no longer available",
        "{visitor} is at {location} to see {visitor_host}, who can no longer be visited. Please see to the visitor.",
    ],
    gone_before: [
        "{visitor} is expected by {visitor_host}, who is no longer available",
        "{visitor} is expected at {location} to see {visitor_host}, who can no longer be visited. Please find somebody else, or tell the visitor.",
    ],
    purpose: "Purpose: {purpose}",
    when: "Time: {when}",
    answer: "Answer here, and the visitor sees it:",
};

const GERMAN: Words = Words {
    arrived: [
        "{visitor} ist für Sie da",
        "{visitor} ist bei {location} eingetroffen und wartet auf Sie.",
    ],
    nobody_named: [
        "{visitor} ist da und weiß nicht, zu wem",
        "{visitor} ist bei {location} eingetroffen und weiß nicht, an wen sich wenden. Bitte kümmern Sie sich um den Besuch.",
    ],
    not_reached: [
        "{visitor} ist für {visitor_host} da",
        "{visitor} ist bei {location} eingetroffen und möchte zu {visitor_host}; dort konnte niemand verständigt werden. Bitte kümmern Sie sich um den Besuch.",
    ],
    expected: [
        "{visitor} wird am {when} erwartet",
        "{visitor} wird bei {location} zum Besuch bei {visitor_host} erwartet. Eine weitere Nachricht folgt beim Eintreffen.",
    ],
    expected_by_nobody: [
        "{visitor} wird am {when} erwartet",
        "{visitor} wird bei {location} erwartet; es ist niemand genannt, der besucht wird. Eine weitere Nachricht folgt beim Eintreffen.",
    ],
    gone_while_here: [
        "{visitor} ist für {visitor_host} da, aber dort ist niemand mehr erreichbar",
        "{visitor} ist bei {location} und möchte zu {visitor_host}, kann dort aber nicht mehr empfangen werden. Bitte kümmern Sie sich um den Besuch.",
    ],
    gone_before: [
        "{visitor} wird von {visitor_host} erwartet, aber dort ist niemand mehr erreichbar",
        "{visitor} wird bei {location} zum Besuch bei {visitor_host} erwartet, kann dort aber nicht mehr empfangen werden. Bitte finden Sie Ersatz oder sagen Sie dem Besuch ab.",
    ],
    purpose: "Anlass: {purpose}",
    when: "Zeit: {when}",
    answer: "Hier antworten Sie, und der Besuch sieht es:",
};

const FRENCH: Words = Words {
    arrived: [
        "{visitor} est là pour vous voir",
        "{visitor} est à l’accueil ({location}) et vous attend.",
    ],
    nobody_named: [
        "{visitor} est là et ne sait pas qui demander",
        "{visitor} est à l’accueil ({location}) et ne sait pas qui demander. Merci de vous en occuper.",
    ],
    not_reached: [
        "{visitor} est là pour voir {visitor_host}",
        "{visitor} est à l’accueil ({location}) pour voir {visitor_host}, que nous n’avons pas pu prévenir. Merci de vous en occuper.",
    ],
    expected: [
        "{visitor} est attendu(e) le {when}",
        "{visitor} est attendu(e) à l’accueil ({location}) pour voir {visitor_host}. Un autre message suivra à l’arrivée.",
    ],
    expected_by_nobody: [
        "{visitor} est attendu(e) le {when}",
        "{visitor} est attendu(e) à l’accueil ({location}), sans que personne ne soit désigné. Un autre message suivra à l’arrivée.",
    ],
    gone_while_here: [
        "{visitor} est là pour voir {visitor_host}, qui n’est plus disponible",
        "{visitor} est à l’accueil ({location}) pour voir {visitor_host}, qui ne reçoit plus de visites. Merci de vous en occuper.",
    ],
    gone_before: [
        "{visitor} est attendu(e) par {visitor_host}, qui n’est plus disponible",
        "{visitor} est attendu(e) à l’accueil ({location}) pour voir {visitor_host}, qui ne reçoit plus de visites. Merci de trouver quelqu’un d’autre ou de prévenir la personne.",
    ],
    purpose: "Motif : {purpose}",
    when: "Heure : {when}",
    answer: "Répondez ici, et la personne le verra :",
};

const SPANISH: Words = Words {
    arrived: [
        "{visitor} ha venido a verle",
        "{visitor} está en la recepción ({location}) y le espera.",
    ],
    nobody_named: [
        "{visitor} está aquí y no sabe por quién preguntar",
        "{visitor} está en la recepción ({location}) y no sabe por quién preguntar. Por favor, ocúpese de la visita.",
    ],
    not_reached: [
        "{visitor} ha venido a ver a {visitor_host}",
        "{visitor} está en la recepción ({location}) para ver a {visitor_host}, a quien no se pudo avisar. Por favor, ocúpese de la visita.",
    ],
    expected: [
        "Se espera a {visitor} el {when}",
        "Se espera a {visitor} en la recepción ({location}) para ver a {visitor_host}. Recibirá otro mensaje cuando llegue.",
    ],
    expected_by_nobody: [
        "Se espera a {visitor} el {when}",
        "Se espera a {visitor} en la recepción ({location}), sin que se indique a quién visita. Recibirá otro mensaje cuando llegue.",
    ],
    gone_while_here: [
        "{visitor} ha venido a ver a {visitor_host}, que ya no está disponible",
        "{visitor} está en la recepción ({location}) para ver a {visitor_host}, que ya no recibe visitas. Por favor, ocúpese de la visita.",
    ],
    gone_before: [
        "{visitor_host} esperaba a {visitor}, pero ya no está disponible",
        "Se espera a {visitor} en la recepción ({location}) para ver a {visitor_host}, que ya no recibe visitas. Por favor, busque a otra persona o avise a la visita.",
    ],
    purpose: "Motivo: {purpose}",
    when: "Hora: {when}",
    answer: "Responda aquí y la visita lo verá:",
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const OCCASIONS: [Occasion; 7] = [
        Occasion::Arrived,
        Occasion::NobodyNamed,
        Occasion::NotReached,
        Occasion::Expected,
        Occasion::ExpectedByNobody,
        Occasion::GoneWhileHere,
        Occasion::GoneBefore,
    ];

    fn facts<'a>(visitor: &'a str, company: &'a str) -> Facts<'a> {
        Facts {
            language: None,
            visitor,
            company,
            purpose: "",
            visitor_host: "Ada King",
            location: "Door",
            when: "2026-11-23 09:30 (CET)".to_owned(),
            link: None,
        }
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts
            .filter_map(|part| Some(part.split_once('}')?.0))
            .collect()
    }

    #[test]
    fn all_languages_say_the_same() {
        for language in Language::ALL {
            for occasion in OCCASIONS {
                let (these, english) = (words(language).about(occasion), ENGLISH.about(occasion));
                for (this, english) in these.into_iter().zip(english) {
                    assert_eq!(
                        placeholders(this),
                        placeholders(english),
                        "{language:?} {occasion:?}: {this}"
                    );
                }
            }
            let words = words(language);
            for (text, expected) in [(words.purpose, "purpose"), (words.when, "when")] {
                assert_eq!(placeholders(text), BTreeSet::from([expected]), "{text}");
            }
        }
    }

    #[test]
    fn what_visitors_type_stays_what_it_is() {
        for (name, visitor, company, subject) in [
            ("plain", "Grace", "Navy", "Grace (Navy) is here to see you"),
            ("no company", "Grace", "", "Grace is here to see you"),
            ("braces", "{when}", "{", "{when} ({) is here to see you"),
            (
                "lines and turned writing",
                "G\r\nBcc: all\u{2028}\u{202E}x",
                "",
                "G  Bcc: all  x is here to see you",
            ),
        ] {
            let said = compose(Occasion::Arrived, &facts(visitor, company));
            assert_eq!(said.subject, subject, "{name}");
        }
    }

    #[test]
    fn a_mail_says_when_and_what_for_and_where_to_answer() {
        let said = compose(
            Occasion::NotReached,
            &Facts {
                language: Some(Language::De),
                purpose: "Vertrag",
                link: Some("https://roll.example/visit/answer/x"),
                ..facts("Grace", "")
            },
        );
        assert_eq!(said.subject, "Grace ist für Ada King da");
        let lines: Vec<&str> = said.body.lines().collect();
        assert_eq!(
            lines[2..],
            [
                "Zeit: 2026-11-23 09:30 (CET)",
                "Anlass: Vertrag",
                "",
                "Hier antworten Sie, und der Besuch sieht es:",
                "https://roll.example/visit/answer/x",
            ],
            "{}",
            said.body
        );
    }
}
