"""The body of an answer, collected within its limit."""

import zlib

from .errors import InvalidResponseError, ResponseTooLargeError

# gzip, or deflate as the standard has it; zlib tells by the first bytes.
_ANY_HEADER = zlib.MAX_WBITS | 32


class Body:
    """Takes the pieces of a body as they come.

    It decompresses by itself, because a library that does it on the way counts either
    what comes or what it makes of it, and may unpack a bomb before anyone can look.

    :param bool is_compressed: with gzip or deflate
    :param int max_bytes: limit for what comes, and for what it is decompressed
    """

    def __init__(self, is_compressed, max_bytes):
        self.wire_size = 0
        self._max_bytes = max_bytes
        self._decoder = zlib.decompressobj(_ANY_HEADER) if is_compressed else None
        self._size = 0
        self._pieces = []

    def check_size(self, size):
        """:raise ResponseTooLargeError: if so many bytes are too many"""
        if size > self._max_bytes:
            raise ResponseTooLargeError(
                f"Copaco's answer is larger than {self._max_bytes // 1_000_000} MB, so "
                "it was not read."
            )

    def add(self, piece):
        """Take the next bytes.

        :raise ResponseTooLargeError: once there are too many
        :raise InvalidResponseError: if they can't be decompressed
        """
        self.wire_size += len(piece)
        self.check_size(self.wire_size)
        if self._decoder:
            piece = self._decompress(piece)
        self._size += len(piece)
        self.check_size(self._size)
        self._pieces.append(piece)

    def get(self):
        """Return all bytes.

        :raise InvalidResponseError: if more of them would have to come
        """
        if self._decoder and self.wire_size and not self._decoder.eof:
            raise _make_damaged_error()
        return b"".join(self._pieces)

    def _decompress(self, piece):
        # One byte more than allowed is enough to know.
        most = self._max_bytes - self._size + 1
        try:
            made = self._decoder.decompress(piece, most)
        except zlib.error:
            made = None
        # Nothing may follow the end of what is compressed.
        if made is None or self._decoder.unused_data:
            raise _make_damaged_error()
        return made


def _make_damaged_error():
    return InvalidResponseError("Copaco's answer is damaged: it can't be decompressed.")
