//! An answer is in the caller's buffer and nowhere else, or the caller is asked for a larger one.
#![expect(unsafe_code, reason = "looks at memory that was handed out")]

use std::ffi::c_char;
use std::mem::MaybeUninit;

use nss_portreeve::answer::Failure;
use nss_portreeve::buffer::Buffer;
use proptest::prelude::*;

use crate::as_c;

/// Around the buffer, to see that nothing is written there.
const MARGIN: usize = 16;
const UNTOUCHED: u8 = 0xa5;

fn put(buffer: &mut [MaybeUninit<u8>], texts: &[String]) -> Result<*mut *mut c_char, Failure> {
    let mut buffer = Buffer::new(buffer);
    buffer.text(b"name")?;
    let mut list = buffer.into_list();
    for text in texts {
        list.push(text.as_bytes())?;
    }
    list.finish()
}

proptest! {
    #[test]
    fn a_list_is_inside_and_aligned(
        texts in prop::collection::vec("[^\0]{0,12}", 0..20),
        at in 0..8_usize, len in 0..600_usize,
    ) {
        let mut memory = vec![MaybeUninit::new(UNTOUCHED); MARGIN + at + len + MARGIN];
        let inside = MARGIN + at..MARGIN + at + len;
        let range = memory[inside.clone()].as_ptr_range();
        let put = put(&mut memory[inside.clone()], &texts);

        let bytes = 5 + texts.iter().map(|text| text.len() + 1).sum::<usize>();
        let addresses = (texts.len() + 1) * size_of::<*mut c_char>();
        match put {
            Ok(list) => {
                prop_assert!(list.is_aligned());
                prop_assert!(range.start.addr() <= list.addr() && list.addr() + addresses <= range.end.addr());
                prop_assert_eq!(as_c::list(list), texts);
            }
            Err(failure) => {
                prop_assert_eq!(failure, Failure::Small);
                prop_assert!(len < bytes + addresses + align_of::<*mut c_char>() - 1, "there was room");
            }
        }
        for (place, byte) in memory.iter().enumerate() {
            // SAFETY: every byte was written at the beginning.
            let byte = unsafe { byte.assume_init() };
            prop_assert!(inside.contains(&place) || byte == UNTOUCHED, "{}", place);
        }
    }
}
