// What is done to the cluster while the load runs. Each scenario heals what it broke; the checker counts afterwards.
// Times are fractions of the length asked for, so that a short run in the tests goes through the same motions.
import { rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { LEASE_MS } from '../../src/contract/limits.ts'
import { shiftClock } from './clock-shift.ts'
import type { Cluster } from './cluster.ts'
import type { Far } from './host-network.ts'
import type { Load } from './load.ts'
import type { Random } from './random.ts'

export interface Stage {
  cluster: Cluster
  load: Load
  random: Random
  /** How long the load runs, in milliseconds. */
  length: number
}

export interface Scenario {
  what: string
  needsRedis?: boolean
  /** Says in its result how it parted the network. */
  needsNetwork?: boolean
  /** Ends that are not `completed` and are as they should be. */
  mayFail?: (agent: string) => boolean
  run(stage: Stage): Promise<void>
}

/** Past the lease, and past the next sweep. */
const PAST_LEASE_MS = LEASE_MS + 2_000

export const pick = <Item>(items: Item[], random: Random): Item => items[Math.floor(random() * items.length)]!

export const SCENARIOS: Record<string, Scenario> = {
  peace: { what: 'nothing', run: ({ length }) => wait(length) },

  'kill-host': {
    what: 'SIGKILL one host of three, again and again',
    async run({ cluster, random, length }) {
      for (let left = length; left > 0; left -= 2_500) {
        await wait(Math.min(left, 2_500))
        pick(cluster.hosts, random).kill('SIGKILL')
      }
    },
  },
  'kill-all': {
    what: 'SIGKILL all hosts at once',
    async run({ cluster, length }) {
      await wait(length / 2)
      for (const host of cluster.hosts) host.kill('SIGKILL')
      await wait(length / 2)
    },
  },
  'stop-host': {
    what: 'SIGSTOP a host past its lease, then SIGCONT: a zombie with work in its hands',
    async run({ cluster, random, length }) {
      await wait(length / 3)
      const host = pick(cluster.hosts, random)
      host.kill('SIGSTOP')
      await wait(PAST_LEASE_MS)
      host.kill('SIGCONT')
      await wait(length / 3)
    },
  },
  'block-loop': {
    what: 'a step holds the event loop of its host for longer than the lease',
    async run({ load, length }) {
      await wait(length / 3)
      await load.submit('chaos-blocker', { ms: PAST_LEASE_MS })
      await wait((length * 2) / 3)
    },
  },
  'restart-nats': {
    what: 'NATS killed and started again',
    async run({ cluster, length }) {
      await wait(length / 3)
      await cluster.servers.nats.restart('kill')
      await wait((length * 2) / 3)
    },
  },
  'nats-down': {
    what: 'NATS away for half the time',
    async run({ cluster, length }) {
      await wait(length / 4)
      await cluster.servers.nats.down()
      await wait(length / 2)
      await cluster.servers.nats.restart()
      await wait(length / 4)
    },
  },
  'nats-emptied': {
    what: 'NATS comes back with an empty store',
    async run({ cluster, length }) {
      await wait(length / 3)
      await cluster.servers.nats.down('kill')
      rmSync(cluster.natsStore, { recursive: true, force: true })
      await cluster.servers.nats.restart()
      await wait((length * 2) / 3)
    },
  },
  'postgres-fast': {
    what: 'Postgres restarted in good order',
    async run({ cluster, length }) {
      await wait(length / 3)
      await cluster.servers.postgres.restart()
      await wait((length * 2) / 3)
    },
  },
  'postgres-killed': {
    what: 'Postgres killed (every backend dies in the middle of what it does) and recovered',
    async run({ cluster, length }) {
      await wait(length / 3)
      await cluster.servers.postgres.restart('kill')
      await wait((length * 2) / 3)
    },
  },
  'backend-killed': {
    what: 'backends of Postgres terminated, again and again',
    async run({ cluster, length }) {
      const client = new pg.Client({ connectionString: cluster.servers.postgres.url })
      await client.connect()
      for (let left = length; left > 0; left -= 1_000) {
        await wait(Math.min(left, 1_000))
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'troupe' AND pid <> pg_backend_pid()`)
      }
      await client.end()
    },
  },
  'answer-lost': {
    what: 'answers of Postgres cut off: the commit is done, and nobody is told',
    async run({ cluster, random, length }) {
      for (let left = length; left > 0; left -= 250) {
        await wait(Math.min(left, 250))
        void pick(cluster.hosts, random).postgres.loseNextAnswer()
      }
    },
  },
  'redis-down': {
    what: 'Redis away for half the time',
    needsRedis: true,
    async run({ cluster, length }) {
      await wait(length / 4)
      await cluster.servers.redis?.down('kill')
      await wait(length / 2)
      await cluster.servers.redis?.restart()
      await wait(length / 4)
    },
  },
  'cut-from-nats': {
    what: 'one host cut off from NATS',
    needsNetwork: true,
    run: (stage) => cutOff(stage, 'nats'),
  },
  'cut-from-postgres': {
    what: 'one host cut off from Postgres: it must fence itself',
    needsNetwork: true,
    run: (stage) => cutOff(stage, 'postgres'),
  },
  'cut-from-all': {
    what: 'one host cut off from everything: a machine that vanished, and comes back',
    needsNetwork: true,
    run: (stage) => cutOff(stage, 'all'),
  },
  poison: {
    what: 'a task that kills each host that runs it',
    mayFail: (agent) => agent === 'chaos-poison',
    async run({ load, length }) {
      await wait(length / 3)
      await load.submit('chaos-poison', {})
      await wait((length * 2) / 3)
    },
  },
  clock: {
    what: 'the wall clock of one host jumps an hour ahead, back, an hour behind, and back: its lease holds',
    run: shiftClock,
  },
  'rolling-restart': {
    what: 'all hosts restarted in good order, one after another',
    async run({ cluster, length }) {
      await wait(length / 4)
      for (const { name } of cluster.hosts) await cluster.supervisor.restartAt(['hosts', name])
      await wait(length / 4)
    },
  },
}

async function cutOff({ cluster, random, length }: Stage, from: Far): Promise<void> {
  await wait(length / 4)
  const mend = pick(cluster.hosts, random).cutOff(from)
  await wait(Math.max(PAST_LEASE_MS, length / 2))
  mend()
  await wait(length / 4)
}
