"""From the bytes of a NIfTI-1 or NIfTI-2 file to voxels and affine.

Whatever a reader raises about the content of one file comes out as `ScanRejected`.
"""

import io
import sys
import zlib
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy

from brainlapse.nifti.files import shown, too_large
from brainlapse.nifti.geometry import find_affine
from brainlapse.nifti.wrapping import unwrap
from brainlapse.rejection import ScanRejected

GZIP_MAGIC = b"\x1f\x8b"
HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
PEEK_BYTES = 1 << 16  # unpacked to see the header before the rest
SPARE_BYTES = 16 << 20  # that may follow the voxels; more is none of this image
GZIP_WBITS = 31  # zlib: a gzip header and checksum around the data


@dataclass(frozen=True)
class Decoded:
    """Voxels (X, Y, Z) float32, voxel-to-world affine (4, 4) float64, and what was odd."""

    volume: np.ndarray
    affine: np.ndarray
    notes: tuple[str, ...] = ()


def decode(path: str, content: bytes, max_bytes: int | None = None) -> Decoded:
    """Decode one three-dimensional image.

    Parameters
    ----------
    path
        Named in messages only; whether the file is compressed is seen from its bytes.
    max_bytes
        Largest size unpacked; what the header announces is held against it before unpacking.

    Raises
    ------
    ScanRejected
        The content is no such image; the message says what was expected, found and what to do.
    """
    header = parse_header(path, peek(path, content))
    shape = check_shape(path, tuple(header.get_data_shape()))
    announced = announced_bytes(path, header)
    if max_bytes is not None and announced > max_bytes:
        raise ScanRejected(too_large(path, announced, max_bytes))
    content = unpack(path, content, announced + SPARE_BYTES)
    if len(content) < announced:
        message = (
            f"{shown(path)}: expected {announced} bytes for voxels of shape {shape}, found fewer "
            f"bytes than that ({len(content)}, truncated); copy or download it again"
        )
        raise ScanRejected(message)
    affine, odd = find_affine(path, header, shape)
    volume, wrapped = read_voxels(path, header, content, shape)
    notes = tuple(note for note in (odd, wrapped) if note)
    return Decoded(volume, affine, notes)


def peek(path: str, content: bytes) -> bytes:
    """Return the first bytes, unpacked."""
    if not content.startswith(GZIP_MAGIC):
        return content[:PEEK_BYTES]
    try:
        return zlib.decompressobj(GZIP_WBITS).decompress(content[:PEEK_BYTES], PEEK_BYTES)
    except zlib.error as error:
        raise corrupt(path, error) from error


def parse_header(path: str, start: bytes) -> nib.Nifti1Header:
    """Read the header; NIfTI-2 headers are a subclass."""
    sizes = {int.from_bytes(start[:4], order) for order in ("little", "big")}
    size = next((size for size in sizes if size in HEADERS), None)
    if size is None or len(start) < size + 4:
        message = f"{shown(path)}: expected a NIfTI image, found {_looks_like(start)}; " + (
            "fetch the image itself" if _looks_like(start) == "text" else "convert it again"
        )
        raise ScanRejected(message)
    try:
        return HEADERS[size](start[:size], check=True)
    except Exception as error:
        raise corrupt(path, error) from error


def check_shape(path: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse all but one three-dimensional volume; gives the three edges."""
    if any(size > 1 for size in shape[3:]):
        message = (
            f"{shown(path)}: expected one 3D volume, found 4D data of shape {shape}; "
            "keep a single volume per T1w file"
        )
        raise ScanRejected(message)
    if len(shape) < 3 or min(shape) < 1 or min(shape[:3]) < 2:
        message = (
            f"{shown(path)}: expected a 3D volume, found an image of shape {shape} (2D, or "
            "without voxels); give the whole volume, not a slice"
        )
        raise ScanRejected(message)
    return shape[:3]


def announced_bytes(path: str, header: nib.Nifti1Header) -> int:
    """Size of the file unpacked, as its header tells."""
    try:
        dtype, offset = header.get_data_dtype(), int(header.get_data_offset())
    except Exception as error:  # unknown type; offset not finite
        raise corrupt(path, error) from error
    if dtype.kind not in "iuf":
        message = (
            f"{shown(path)}: expected real numbers, found {dtype} (colour or complex); "
            "give the magnitude image"
        )
        raise ScanRejected(message)
    voxels = 1
    for size in header.get_data_shape():
        voxels *= int(size)
    return offset + voxels * dtype.itemsize


def unpack(path: str, content: bytes, limit: int) -> bytes:
    """Decompress as far as `limit`; the checksum at the end proves that the file is whole."""
    if not content.startswith(GZIP_MAGIC):
        return content
    parts: list[bytes] = []
    left, rest = min(limit, sys.maxsize - 1) + 1, content
    while rest:
        unpacker = zlib.decompressobj(GZIP_WBITS)
        try:
            parts.append(unpacker.decompress(rest, left))
        except zlib.error as error:
            raise corrupt(path, error) from error
        left -= len(parts[-1])
        if left <= 0:
            message = (
                f"{shown(path)}: expected the voxels that its header announces, found more than "
                f"{limit} bytes; convert it again"
            )
            raise ScanRejected(message)
        if not unpacker.eof:
            message = (
                f"{shown(path)}: expected a whole gzip file, found one that ends early "
                f"(truncated after {len(content)} bytes); copy or download it again"
            )
            raise ScanRejected(message)
        rest = unpacker.unused_data.lstrip(b"\0")  # further members; some tools pad with zeros
    return b"".join(parts)


def read_voxels(
    path: str, header: nib.Nifti1Header, content: bytes, shape: tuple[int, ...]
) -> tuple[np.ndarray, str | None]:
    """Voxel values (X, Y, Z), scaled, float32, and a note where integers had run over."""
    try:
        proxy = ArrayProxy(io.BytesIO(content), header)
        with np.errstate(all="ignore"):
            volume = np.asarray(proxy, dtype=np.float32).reshape(shape, order="F")
            if proxy.inter != 0 or volume.min() >= 0:
                return volume, None
            stored = proxy.get_unscaled().astype(np.float32).reshape(shape, order="F")
            stored, note = unwrap(stored)
            return (volume if note is None else stored * np.float32(proxy.slope)), note
    except MemoryError:
        raise
    except Exception as error:
        raise corrupt(path, error) from error


def check_finite(path: str, volume: np.ndarray) -> None:
    """Refuse a volume that holds NaN or infinity."""
    low, high = float(volume.min()), float(volume.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        count = int(np.count_nonzero(~np.isfinite(volume)))
        message = (
            f"{shown(path)}: expected finite values, found {count} voxels that are NaN or "
            "infinite; export the scan again"
        )
        raise ScanRejected(message)


def corrupt(path: str, error: Exception) -> ScanRejected:
    """Rejection of a file that a reader stumbles over."""
    why = " ".join(str(error).split()) or type(error).__name__
    return ScanRejected(
        f"{shown(path)}: expected a valid NIfTI file, found a corrupt one ({why}); "
        "copy or download it again"
    )


def _looks_like(content: bytes) -> str:
    if content[:4096].isascii() and b"\0" not in content[:4096]:
        return "text"
    return "gzip data" if content.startswith(GZIP_MAGIC) else "data of another format"
