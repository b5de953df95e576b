// An agent around a machine, whose input and output are anything.
import { z } from 'zod'
import { defineAgent } from '../../src/sdk/index.ts'

export const anything = z.any()

export const agentOf = (name: string, machine: Parameters<typeof defineAgent>[0]['machine'], more = {}) =>
  defineAgent({
    name,
    version: '1.0.0',
    description: name,
    input: anything,
    output: anything,
    machine: machine!,
    ...more,
  })
