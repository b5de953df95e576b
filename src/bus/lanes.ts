// Queues by priority. Higher lanes first, but after every few of them one from a lower lane, so that a flood of urgent
// work delays the rest and never starves it.

/** Out of so many takes in a row from better lanes, the next comes from a worse one if it holds anything. */
const PATIENCE = 8

export interface Lanes<Item> {
  /** False when the lanes are full. */
  put(lane: string, item: Item): boolean
  take(): Item | undefined
  readonly size: number
}

export function createLanes<Item>(names: readonly string[], limit: number): Lanes<Item> {
  const queues = names.map(() => createQueue<Item>())
  // How often each lane was passed over while it held something.
  const passedOver = names.map(() => 0)
  let size = 0

  return {
    get size() {
      return size
    },

    put(lane, item) {
      if (size >= limit) return false
      queues[Math.max(0, names.indexOf(lane))]!.push(item)
      size += 1
      return true
    },

    take() {
      const impatient = passedOver.findIndex((count, index) => count >= PATIENCE && queues[index]!.length > 0)
      const order = impatient < 0 ? queues.keys() : [impatient, ...queues.keys()]
      for (const index of order) {
        const item = queues[index]!.take()
        if (item === undefined) continue
        size -= 1
        passedOver[index] = 0
        for (let worse = index + 1; worse < queues.length; worse++) {
          if (queues[worse]!.length > 0) passedOver[worse]! += 1
        }
        return item
      }
      return undefined
    },
  }
}

/** First in, first out, without moving the rest on each take: `shift` on a long array costs its length. */
function createQueue<Item>() {
  let items: Item[] = []
  let head = 0
  return {
    get length() {
      return items.length - head
    },
    push(item: Item): void {
      items.push(item)
    },
    take(): Item | undefined {
      if (head === items.length) return undefined
      const item = items[head]
      head += 1
      if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
  }
}
