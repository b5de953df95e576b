// The picture on a scanned page, as a portable pixmap that OCR reads. Only pictures large enough to hold text.
import { getResolvedPDFJS } from 'unpdf'
import { LIMITS } from './document.ts'
import type { PdfPage } from './pdf.ts'

interface Picture {
  width: number
  height: number
  /** pdf.js: 1 is one bit a pixel, 2 is RGB, 3 is RGBA. */
  kind: number
  data: Uint8Array | Uint8ClampedArray
}

const SMALLEST = 100

export async function readScan(page: PdfPage): Promise<Uint8Array | undefined> {
  const { OPS } = await getResolvedPDFJS()
  const operators = await page.getOperatorList()
  let best: Picture | undefined
  for (let index = 0; index < operators.fnArray.length; index++) {
    const operator = operators.fnArray[index]
    const [first] = operators.argsArray[index] ?? []
    let picture: unknown
    if (operator === OPS.paintImageXObject && typeof first === 'string') picture = await resolveObject(page, first)
    else if (operator === OPS.paintInlineImageXObject) picture = first
    else if (operator === OPS.paintImageMaskXObject) {
      picture = typeof first?.data === 'string' ? await resolveObject(page, first.data) : first
      if (isMask(picture)) picture = { ...picture, kind: 1 }
    }
    if (isPicture(picture) && picture.width * picture.height > (best?.width ?? 0) * (best?.height ?? 0)) best = picture
  }
  if (best === undefined) return undefined
  return encode(best, page.rotate)
}

function resolveObject(page: PdfPage, name: string): Promise<unknown> {
  return new Promise((resolve) => {
    const objects = name.startsWith('g_') ? page.commonObjs : page.objs
    // The callback never comes for a picture that could not be decoded.
    const timer = setTimeout(() => resolve(undefined), 2_000)
    objects.get(name, (value: unknown) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}

function isMask(value: unknown): value is Omit<Picture, 'kind'> {
  return typeof value === 'object' && value !== null && 'data' in value && ArrayBuffer.isView(value.data)
}

function isPicture(value: unknown): value is Picture {
  if (!isMask(value) || !('kind' in value)) return false
  return value.width >= SMALLEST && value.height >= SMALLEST && value.width * value.height <= LIMITS.pixels
}

/** P5 (grey) for everything: OCR looks at brightness only, and it is a third of the bytes. */
function encode(picture: Picture, rotation: number): Uint8Array {
  const { width, height } = picture
  const quarter = ((Math.round(rotation / 90) % 4) + 4) % 4
  const sideways = quarter % 2 === 1
  const [outWidth, outHeight] = sideways ? [height, width] : [width, height]
  const head = Buffer.from(`P5\n${outWidth} ${outHeight}\n255\n`, 'latin1')
  const out = new Uint8Array(head.length + width * height)
  out.set(head)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [left, top] =
        quarter === 0
          ? [x, y]
          : quarter === 1
            ? [height - 1 - y, x]
            : quarter === 2
              ? [width - 1 - x, height - 1 - y]
              : [y, width - 1 - x]
      out[head.length + top * outWidth + left] = brightness(picture, x, y)
    }
  }
  return out
}

function brightness({ data, kind, width }: Picture, x: number, y: number): number {
  if (kind === 1) return ((data[y * ((width + 7) >> 3) + (x >> 3)]! >> (7 - (x & 7))) & 1) * 255
  const at = (y * width + x) * (kind === 2 ? 3 : 4)
  return (data[at]! * 299 + data[at + 1]! * 587 + data[at + 2]! * 114) / 1000
}
