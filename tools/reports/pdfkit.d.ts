// pdfkit comes without types; these are the parts that pdf.ts uses.
declare module 'pdfkit' {
  interface TextOptions {
    width?: number
    height?: number
    align?: 'left' | 'center' | 'right'
    ellipsis?: boolean
    lineBreak?: boolean
    bulletRadius?: number
    textIndent?: number
  }
  export default class PDFDocument extends NodeJS.EventEmitter {
    constructor(options: { size: string; margin: number; info: { Title: string }; bufferPages: boolean })
    x: number
    y: number
    readonly page: { width: number; height: number; margins: { bottom: number } }
    on(event: 'data', listener: (piece: Buffer) => void): this
    on(event: 'end', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
    font(name: string): this
    fontSize(size: number): this
    fillColor(colour: string): this
    text(text: string, options?: TextOptions): this
    text(text: string, x: number, y?: number, options?: TextOptions): this
    list(items: string[], options?: TextOptions): this
    image(content: Buffer, options: { fit: [number, number]; align: 'center' }): this
    moveDown(lines?: number): this
    addPage(): this
    bufferedPageRange(): { start: number; count: number }
    switchToPage(page: number): this
    end(): void
  }
}
