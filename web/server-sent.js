// @ts-check
// What a stream of server-sent events says.

/** @typedef {{ id: string | undefined, event: string, data: string }} ServerSent */

/**
 * Gives a function that is fed text as it arrives, cut anywhere, and gives the events that are complete.
 * @returns {(text: string) => ServerSent[]}
 */
export function createReader() {
  let rest = ''
  return (text) => {
    const blocks = (rest + text).split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    return blocks.map(readBlock).filter((event) => event !== undefined)
  }
}

/** @param {string} block */
function readBlock(block) {
  /** @type {Record<string, string[]>} */
  const fields = {}
  for (const line of block.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    if (name !== '') fields[name] = [...(fields[name] ?? []), value]
  }
  if (fields.data === undefined) return undefined
  return { id: fields.id?.at(-1), event: fields.event?.at(-1) ?? 'message', data: fields.data.join('\n') }
}
