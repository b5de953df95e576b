// The rules of the house as data. Each says why; the exceptions are counted and may only become fewer.

export const rooms: Record<string, { may: string[]; why: string }> = {
  contract: { may: [], why: 'it is the words all rooms share, and must not drag a room along' },
  sdk: { may: ['contract'], why: 'a plug-in installs it without the runtime' },
  supervision: { may: ['contract'], why: 'it is a library of its own, for components, processes and actors alike' },
  journal: { may: ['contract'], why: 'it keeps the truth and knows nobody who uses it' },
  bus: { may: ['journal', 'contract'], why: 'it carries the journal’s wakes; it knows no host and no door' },
  actor: { may: ['sdk', 'journal', 'supervision', 'contract'], why: 'the interpreter must not know hosts or doors' },
  plugins: { may: ['desk', 'sdk', 'contract'], why: 'it loads agents; it does not run them' },
  host: {
    may: ['actor', 'plugins', 'journal', 'bus', 'supervision', 'sdk', 'contract'],
    why: 'the host does not know that HTTP exists',
  },
  outside: { may: ['sdk', 'contract'], why: 'it reads what is not ours, and knows nobody who asks for it' },
  isolation: {
    may: ['host', 'plugins', 'journal', 'bus', 'sdk', 'contract'],
    why: 'it puts a host behind a guard; it knows neither doors nor databases',
  },
  desk: { may: ['journal', 'bus', 'contract'], why: 'it meets the hosts in journal and bus only' },
  gateway: {
    may: ['desk', 'journal', 'bus', 'outside', 'contract'],
    why: 'the gateway does not know that actors exist',
  },
  webhooks: { may: ['journal', 'sdk', 'contract'], why: 'a delivery is an agent’s task like any other' },
  workers: { may: ['training', 'contract'], why: 'a worker is a server of its own, replaceable by other people’s' },
  training: { may: ['workers', 'contract'], why: 'it writes what the inference worker reads, and nothing else' },
  telemetry: { may: ['contract'], why: 'it is told what happened; it asks nobody' },
  cli: {
    may: ['boot', 'plugins', 'training', 'sdk', 'supervision', 'telemetry', 'contract'],
    why: 'the command talks to running processes over their doors',
  },
  boot: {
    may: [
      'actor',
      'bus',
      'contract',
      'desk',
      'gateway',
      'host',
      'isolation',
      'journal',
      'outside',
      'plugins',
      'sdk',
      'supervision',
      'supervisors',
      'telemetry',
      'tools',
      'training',
      'webhooks',
      'workers',
    ],
    why: 'it puts the parts together; nobody imports it',
  },
  supervisors: { may: ['supervision', 'contract'], why: 'trees are data' },
  tools: { may: ['sdk'], why: 'a tool is usable without the runtime' },
  web: { may: ['contract'], why: 'browsers load it as it lies there: of the contract it knows types only' },
  agents: { may: ['sdk', 'tools'], why: 'an agent of ours has no more rights than an outsider’s' },
}

export const vendors: { vendor: RegExp; homes: string[]; why: string }[] = [
  { vendor: /^@nats-io\//, homes: ['src/bus/nats'], why: 'NATS lives in bus/nats: another bus must be a folder' },
  {
    vendor: /^pg($|\/)/,
    homes: ['src/journal/postgres', 'src/workers/retrieval', 'src/gateway/store/postgres', 'src/outside/postgres'],
    why: 'pg lives in the Postgres adapters',
  },
  { vendor: /^@grpc\//, homes: ['src/workers/'], why: 'gRPC lives in workers/' },
  { vendor: /^(fastify|@fastify\/)/, homes: ['src/gateway/'], why: 'Fastify lives in gateway/' },
  {
    vendor: /^xstate/,
    homes: ['src/actor/', 'src/sdk/', 'agents/'],
    why: 'xstate lives in actor/, the sdk and agents',
  },
  {
    vendor: /^(langchain|@langchain\/)/,
    homes: ['src/host/llm', 'src/sdk/context.ts', 'src/sdk/llm-tools.ts'],
    why: 'LangChain lives behind the step context’s llm',
  },
  {
    vendor: /^ioredis/,
    homes: ['src/gateway/limits/', 'src/gateway/cache'],
    why: 'Redis holds only what is disposable',
  },
  {
    vendor: /^onnxruntime-node/,
    homes: ['src/workers/inference/', 'src/training/'],
    why: 'ONNX lives in the inference worker',
  },
]

export const exceptions: { rule: 'rooms' | 'vendors'; from: string; to: string; why: string }[] = [
  {
    rule: 'rooms',
    from: 'src/sdk/testing/',
    to: 'src/',
    why: 'the test kit runs agents by the real interpreter; a second, simpler one would lie',
  },
]
