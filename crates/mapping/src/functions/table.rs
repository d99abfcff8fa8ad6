//! The table of all functions, by name.

use super::{Function, Parameter, Presence};
use super::{dates, diacritics, lists, logic, numbers, random, replace, roles, text, titles};

const fn one(name: &'static str) -> Parameter {
    Parameter {
        name,
        presence: Presence::Required,
    }
}

const fn slot(name: &'static str) -> Parameter {
    Parameter {
        name,
        presence: Presence::Nullable,
    }
}

const fn maybe(name: &'static str) -> Parameter {
    Parameter {
        name,
        presence: Presence::Optional,
    }
}

const fn more(name: &'static str) -> Parameter {
    Parameter {
        name,
        presence: Presence::Repeated,
    }
}

/// Every function of the language, in alphabetical order.
#[rustfmt::skip]
pub const ALL: &[Function] = &[
    Function { name: "AppRoleAssignments", parameters: &[one("source")], run: roles::names,
        summary: "The values of the assigned application roles." },
    Function { name: "AppRoleAssignmentsComplex", parameters: &[one("source")], run: roles::complex,
        summary: "The assigned application roles with value, display name and type, to be added to those at the target." },
    Function { name: "Append", parameters: &[one("source"), one("suffix")], run: text::append,
        summary: "The source with a suffix." },
    Function { name: "AssertiveAppRoleAssignmentsComplex", parameters: &[one("source")], run: roles::complex,
        summary: "The assigned application roles with value, display name and type, to replace those at the target." },
    Function { name: "BitAnd", parameters: &[one("value1"), one("value2")], run: numbers::bit_and,
        summary: "The bits that both numbers have." },
    Function { name: "CBool", parameters: &[one("expression")], run: logic::c_bool,
        summary: "False for zero, null and a comparison that does not hold, else True." },
    Function { name: "CDate", parameters: &[one("expression")], run: dates::c_date,
        summary: "The instant that a text names, in UTC." },
    Function { name: "CStr", parameters: &[one("value")], run: text::c_str,
        summary: "The value as text." },
    Function { name: "Coalesce", parameters: &[one("source"), more("source")], run: logic::coalesce,
        summary: "The first parameter that is not null; empty text is not null." },
    Function { name: "ConvertToBase64", parameters: &[one("source")], run: text::to_base64,
        summary: "The UTF-16 form of the text, little end first, in base64." },
    Function { name: "ConvertToUTF8Hex", parameters: &[one("source")], run: text::to_utf8_hex,
        summary: "The UTF-8 form of the text in hexadecimal digits." },
    Function { name: "Count", parameters: &[one("attribute")], run: lists::count,
        summary: "How many values the attribute has." },
    Function { name: "DateAdd", parameters: &[one("interval"), one("value"), one("dateTime")], run: dates::add,
        summary: "The date so many years (yyyy), months (m), weeks (ww), days (d), hours (h), minutes (n) or seconds (s) later." },
    Function { name: "DateDiff", parameters: &[one("interval"), one("date1"), one("date2")], run: dates::diff,
        summary: "How many years, months, weeks, days, hours, minutes or seconds lie from the first date to the second." },
    Function { name: "DateFromNum", parameters: &[one("value")], run: dates::from_num,
        summary: "The instant of an Active Directory number: ticks of 100 nanoseconds since 1601." },
    Function { name: "DefaultDomain", parameters: &[], run: text::default_domain,
        summary: "The default domain of the tenant." },
    Function { name: "FormatDateTime", parameters: &[one("source"), maybe("dateTimeStyles"), maybe("inputFormat"), maybe("outputFormat")], run: dates::format,
        summary: "A date in one format written in another; both are .NET format strings." },
    Function { name: "Guid", parameters: &[], run: random::guid,
        summary: "A new random GUID." },
    Function { name: "IIF", parameters: &[one("condition"), slot("valueIfTrue"), slot("valueIfFalse")], run: logic::iif,
        summary: "The second parameter if the condition holds, else the third." },
    Function { name: "IgnoreFlowIfNullOrEmpty", parameters: &[one("expression")], run: logic::ignore_if_empty,
        summary: "The value; the attribute is left out of the flow when it is null or empty." },
    Function { name: "InStr", parameters: &[one("value1"), one("value2"), maybe("start"), maybe("compareType")], run: text::in_str,
        summary: "Where the second text first stands in the first, from 1; 0 when it does not." },
    Function { name: "IsNothing", parameters: &[one("expression")], run: logic::is_null,
        summary: "The older name of IsNull." },
    Function { name: "IsNull", parameters: &[one("expression")], run: logic::is_null,
        summary: "Whether the attribute is absent." },
    Function { name: "IsNullOrEmpty", parameters: &[one("expression")], run: logic::is_null_or_empty,
        summary: "Whether the attribute is absent or empty." },
    Function { name: "IsPresent", parameters: &[one("expression")], run: logic::is_present,
        summary: "Whether the attribute is there and not empty." },
    Function { name: "IsString", parameters: &[one("expression")], run: logic::is_string,
        summary: "Whether the value is text." },
    Function { name: "Item", parameters: &[one("attribute"), one("index")], run: lists::item,
        summary: "One value of several, counted from 1." },
    Function { name: "Join", parameters: &[one("separator"), slot("source"), more("source")], run: lists::join,
        summary: "The sources that are neither null nor empty, with the separator between them." },
    Function { name: "Left", parameters: &[one("string"), one("numChars")], run: text::left,
        summary: "The first characters of a text." },
    Function { name: "Len", parameters: &[one("string")], run: text::len,
        summary: "How many characters a text has." },
    Function { name: "Mid", parameters: &[one("source"), one("start"), one("length")], run: text::mid,
        summary: "A part of a text; the first character is number 1." },
    Function { name: "NormalizeDiacritics", parameters: &[one("source")], run: diacritics::normalize,
        summary: "The text with plain letters instead of those with accents and other marks." },
    Function { name: "Not", parameters: &[one("source")], run: logic::not,
        summary: "False for True, and True for everything else." },
    Function { name: "Now", parameters: &[], run: dates::now,
        summary: "The time at which the object is evaluated, in UTC." },
    Function { name: "NumFromDate", parameters: &[one("value")], run: dates::num_from,
        summary: "The Active Directory number of a date: ticks of 100 nanoseconds since 1601." },
    Function { name: "PCase", parameters: &[one("source"), maybe("wordSeparators")], run: titles::proper_case,
        summary: "The text in small letters with a capital at the start of each word." },
    Function { name: "Prepend", parameters: &[one("prefix"), one("source")], run: text::prepend,
        summary: "The source with a prefix." },
    Function { name: "RandomString", parameters: &[one("length"), one("minNumbers"), one("minSpecialCharacters"), one("minCapital"), one("minLowerCase"), maybe("charactersToAvoid")], run: random::string,
        summary: "A random text with at least so many characters of each kind." },
    Function { name: super::REDACT, parameters: &[one("value")], run: logic::same,
        summary: "The value itself; logs show [Redact] instead." },
    Function { name: "RemoveDuplicates", parameters: &[one("attribute")], run: lists::remove_duplicates,
        summary: "The values, each once." },
    Function { name: "Replace", parameters: &[one("source"), maybe("oldValue"), maybe("regexPattern"), maybe("regexGroupName"), maybe("replacementValue"), maybe("replacementAttributeName"), maybe("template")], run: replace::replace,
        summary: "The source with parts replaced; which parameters are there says how." },
    Function { name: super::SELECT_UNIQUE, parameters: &[one("uniqueValueRule1"), one("uniqueValueRule2"), more("uniqueValueRule")], run: logic::select_unique,
        summary: "The first value that the target does not have yet." },
    Function { name: "SingleAppRoleAssignment", parameters: &[one("source")], run: roles::single,
        summary: "The value of the assigned application role; the first where there are several." },
    Function { name: "Split", parameters: &[one("source"), one("delimiter")], run: lists::split,
        summary: "The parts of a text between delimiters, without blanks around them." },
    Function { name: "StripSpaces", parameters: &[one("source")], run: text::strip_spaces,
        summary: "The text without its blanks." },
    Function { name: super::SWITCH, parameters: &[one("source"), slot("defaultValue"), more("key, value")], run: logic::switch,
        summary: "The value after the key that equals the source, else the default value." },
    Function { name: "ToLower", parameters: &[one("source"), maybe("culture")], run: titles::to_lower,
        summary: "The text in small letters." },
    Function { name: "ToUpper", parameters: &[one("source"), maybe("culture")], run: titles::to_upper,
        summary: "The text in capitals." },
    Function { name: "Word", parameters: &[one("string"), one("wordNumber"), one("delimiters")], run: text::word,
        summary: "One word of a text, counted from 1; every character of the last parameter separates words." },
];
