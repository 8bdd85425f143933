# SPDX-License-Identifier: MIT
"""What the example of docs/ledger.md uses of rocksdict, on the C interface of the system's RocksDB: for machines that
cannot reach PyPI."""

import ctypes
import ctypes.util
import glob

_Pointer = ctypes.c_void_p
_Size = ctypes.c_size_t


def _library():
    name = ctypes.util.find_library('rocksdb') or next(iter(sorted(glob.glob('/usr/lib/*/librocksdb.so*'))), None)
    library = ctypes.CDLL(name or 'librocksdb.so')
    for function in ('options_create', 'readoptions_create', 'list_column_families', 'create_iterator_cf',
                     'open_as_secondary_column_families', 'iter_key', 'iter_value'):
        getattr(library, f'rocksdb_{function}').restype = _Pointer
    library.rocksdb_iter_valid.restype = ctypes.c_ubyte
    return library


_LIBRARY = _library()


def _call(function, *arguments):
    error = ctypes.c_char_p()
    result = getattr(_LIBRARY, f'rocksdb_{function}')(*arguments, ctypes.byref(error))
    if error.value:
        raise OSError(error.value.decode())
    return result


class Options:
    def __init__(self, raw_mode=False):
        assert raw_mode
        self.pointer = _Pointer(_LIBRARY.rocksdb_options_create())
        _LIBRARY.rocksdb_options_set_max_open_files(self.pointer, -1)


class AccessType:
    @staticmethod
    def secondary(folder):
        return folder


class _Family:
    def __init__(self, database, handle):
        self.database, self.handle = database, handle

    def items(self, from_key):
        options = _Pointer(_LIBRARY.rocksdb_readoptions_create())
        at = _Pointer(_LIBRARY.rocksdb_create_iterator_cf(self.database, options, self.handle))
        _LIBRARY.rocksdb_iter_seek(at, from_key, _Size(len(from_key)))
        while _LIBRARY.rocksdb_iter_valid(at):
            size = _Size()
            key = ctypes.string_at(_LIBRARY.rocksdb_iter_key(at, ctypes.byref(size)), size.value)
            value = ctypes.string_at(_LIBRARY.rocksdb_iter_value(at, ctypes.byref(size)), size.value)
            yield key, value
            _LIBRARY.rocksdb_iter_next(at)
        _call('iter_get_error', at)
        _LIBRARY.rocksdb_iter_destroy(at)


class Rdict:
    @staticmethod
    def list_cf(path):
        count = _Size()
        names = _call('list_column_families', Options(raw_mode=True).pointer, path.encode(), ctypes.byref(count))
        return [name.decode() for name in (ctypes.c_char_p * count.value).from_address(names)]

    def __init__(self, path, options, families, access_type):
        count = len(families)
        names = (ctypes.c_char_p * count)(*(name.encode() for name in families))
        wanted = (_Pointer * count)(*(family.pointer for family in families.values()))
        self.handles = (_Pointer * count)()
        self.names = list(families)
        self.database = _Pointer(_call('open_as_secondary_column_families', options.pointer, path.encode(),
                                       access_type.encode(), count, names, wanted, self.handles))

    def try_catch_up_with_primary(self):
        _call('try_catch_up_with_primary', self.database)

    def get_column_family(self, name):
        return _Family(self.database, _Pointer(self.handles[self.names.index(name)]))
