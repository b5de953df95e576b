// What every command is given: the global options, the terminal, and the gateway when it asks for it.

import type { GatewayClient } from './client.ts'
import { connect, type GlobalOptions } from './connection.ts'
import { createTerminal, type Terminal } from './terminal.ts'

export interface Context {
  globals: GlobalOptions
  terminal: Terminal
  connect(): Promise<GatewayClient>
  /** Data: as JSON when that was asked for, else as the text made of it. */
  show<Data>(data: Data, asText: (data: Data) => string): void
}

/** Returns the exit status, if it is not 0. */
export type Handler<Options = Record<string, never>> = (
  context: Context,
  args: (string | undefined)[],
  options: Options,
) => Promise<number | undefined> | Promise<void>

export function createContext(globals: GlobalOptions): Context {
  const terminal = createTerminal()
  return {
    globals,
    terminal,
    connect: () => connect(globals),
    show(data, asText) {
      terminal.out(globals.json ? JSON.stringify(data, null, 2) : asText(data))
    },
  }
}
