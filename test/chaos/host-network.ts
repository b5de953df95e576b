// How one host of the cluster reaches the rest of the world, and how it is cut off from it alone. Between it and each
// server stands a proxy of its own. In a network namespace each proxy is reached over a cable of its own, and cutting
// off means pulling cables; elsewhere the proxy itself falls silent, and cuts what was open when it heals.
import type { TestServer } from '../support/servers.ts'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { openNamespace } from './namespace.ts'

export type Far = 'postgres' | 'nats' | 'all'

export interface HostNetwork {
  postgres: TcpProxy
  nats: TcpProxy
  /** The addresses as this host sees them. */
  environment: Record<string, string>
  inside(program: string, args: string[]): { command: string; args: string[] }
  /** Returns how to mend it. */
  cutOff(from: Far): () => void
  close(): Promise<void>
}

export interface Reached {
  postgres: TestServer
  nats: TestServer
  redis?: TestServer
  /** The supervisor's control port. */
  control: string
}

export async function openHostNetwork(servers: Reached, { namespaces }: { namespaces: boolean }): Promise<HostNetwork> {
  return namespaces ? behindCables(servers) : behindProxies(servers)
}

async function behindProxies({ postgres, nats }: Reached): Promise<HostNetwork> {
  const toPostgres = await proxyOf(postgres.url)
  const toNats = await proxyOf(nats.url)
  return {
    postgres: toPostgres.proxy,
    nats: toNats.proxy,
    environment: { TROUPE_POSTGRES_URL: toPostgres.url, TROUPE_NATS_URL: toNats.url },
    inside: (command, args) => ({ command, args }),
    cutOff(from) {
      const both = { postgres: toPostgres.proxy, nats: toNats.proxy }
      const cut = from === 'all' ? Object.values(both) : [both[from]]
      for (const proxy of cut) proxy.partition()
      return () => {
        for (const proxy of cut) proxy.heal()
      }
    },
    close: () => closeAll([toPostgres.proxy, toNats.proxy]),
  }
}

async function behindCables({ postgres, nats, redis, control }: Reached): Promise<HostNetwork> {
  const namespace = openNamespace(3)
  const [postgresCable, natsCable, otherCable] = namespace.cables
  const toPostgres = await proxyOf(postgres.url, postgresCable!.address)
  const toNats = await proxyOf(nats.url, natsCable!.address)
  const toControl = await proxyOf(control, otherCable!.address)
  const toRedis = redis === undefined ? undefined : await proxyOf(redis.url, otherCable!.address)
  const proxies = [toPostgres, toNats, toControl, ...(toRedis === undefined ? [] : [toRedis])].map(({ proxy }) => proxy)
  return {
    postgres: toPostgres.proxy,
    nats: toNats.proxy,
    environment: {
      TROUPE_POSTGRES_URL: toPostgres.url,
      TROUPE_NATS_URL: toNats.url,
      TROUPE_SUPERVISOR_URL: toControl.url,
      ...(toRedis === undefined ? {} : { TROUPE_REDIS_URL: toRedis.url }),
    },
    inside: namespace.inside,
    cutOff(from) {
      const cut = { postgres: [postgresCable!], nats: [natsCable!], all: namespace.cables }[from]
      for (const cable of cut) cable.pull()
      return () => {
        for (const cable of cut) cable.plug()
      }
    },
    async close() {
      await closeAll(proxies)
      namespace.close()
    },
  }
}

async function proxyOf(server: string, address?: string): Promise<{ url: string; proxy: TcpProxy }> {
  const url = new URL(server)
  const proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) }, address)
  url.port = String(proxy.port)
  if (address !== undefined) url.hostname = address
  return { url: url.href.replace(/\/$/, ''), proxy }
}

async function closeAll(proxies: TcpProxy[]): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.close()))
}
