"""Asks the C library with buffers of all sizes up to the first that is large enough."""

import ctypes
import errno

libc = ctypes.CDLL("libc.so.6")


def ask(function, name, size):
    record, found = ctypes.create_string_buffer(128), ctypes.c_void_p()
    buffer = ctypes.create_string_buffer(size)
    code = getattr(libc, function)(name, record, buffer, ctypes.c_size_t(size), ctypes.byref(found))
    return code, bool(found.value)


for function, name in (("getpwnam_r", b"ada"), ("getgrnam_r", b"portreeve")):
    size = 1
    while (said := ask(function, name, size)) == (errno.ERANGE, False):
        size += 1
    assert said == (0, True) and size > 20, (function, size, said)
    print(f"{function}: every smaller buffer refused")
print("nobody:", ask("getpwnam_r", b"eve", 1024)[0])
