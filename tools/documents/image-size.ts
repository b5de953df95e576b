// Width and height from an image's first bytes: a picture of 50,000 × 50,000 pixels may be a file of a few kilobytes.
export function imageSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mark = new TextDecoder('latin1').decode(bytes.subarray(0, 16))
  try {
    if (mark.startsWith('PNG\r\n', 1)) return { width: view.getUint32(16), height: view.getUint32(20) }
    if (mark.startsWith('GIF8')) return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
    if (mark.startsWith('BM')) {
      return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) }
    }
    if (mark.startsWith('RIFF') && mark.startsWith('WEBP', 8)) return webpSize(view, mark.slice(12, 16))
    if (mark.startsWith('P5') || mark.startsWith('P6')) return pixmapSize(bytes)
    if (mark.startsWith('II*\0') || mark.startsWith('MM\0*')) return tiffSize(view, mark.startsWith('II'))
    if (mark.startsWith('\xff\xd8')) return jpegSize(view)
  } catch (error) {
    // Reading past the end: the file is cut within its head.
    if (error instanceof RangeError) return undefined
    throw error
  }
  return undefined
}

function pixmapSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const found = /^P[56]\s+(\d+)\s+(\d+)/.exec(new TextDecoder('latin1').decode(bytes.subarray(0, 64)))
  return found === null ? undefined : { width: Number(found[1]), height: Number(found[2]) }
}

function webpSize(view: DataView, kind: string): { width: number; height: number } | undefined {
  if (kind === 'VP8X') {
    const third = (at: number) => view.getUint16(at, true) + view.getUint8(at + 2) * 65_536 + 1
    return { width: third(24), height: third(27) }
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
}

function tiffSize(view: DataView, little: boolean): { width: number; height: number } | undefined {
  const directory = view.getUint32(4, little)
  const fields = view.getUint16(directory, little)
  let width: number | undefined
  let height: number | undefined
  for (let index = 0; index < fields; index++) {
    const at = directory + 2 + index * 12
    const tag = view.getUint16(at, little)
    const value = view.getUint16(at + 2, little) === 3 ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little)
    if (tag === 256) width = value
    if (tag === 257) height = value
  }
  return width === undefined || height === undefined ? undefined : { width, height }
}

function jpegSize(view: DataView): { width: number; height: number } | undefined {
  for (let at = 2; at + 9 < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined
    const marker = view.getUint8(at + 1)
    // C0–CF are frames, except for the tables C4, C8 and CC.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    }
    at += 2 + view.getUint16(at + 2)
  }
  return undefined
}
