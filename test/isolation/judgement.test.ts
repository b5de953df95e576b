import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TroupeError } from '../../src/contract/errors.ts'
import { judge, readCommit } from '../../src/isolation/judgement.ts'
import type { ActorCommit, MessageBody, TaskRow } from '../../src/journal/journal.ts'

const task = {
  id: 'task_own',
  tenant: 'acme',
  agent: 'asker',
  depth: 1,
  parent: { taskId: 'task_parent', stepId: 'research' },
} as TaskRow
const PARENTS: Record<string, string | null> = {
  task_child: 'task_own',
  task_foreign: null,
  task_cousin: 'task_parent',
}
const reach = {
  mayAsk: (agent: string) => agent === 'reader',
  checkInput({ input }: { input: unknown }) {
    if (input === 'wrong') throw new TroupeError('permission_denied', 'The input is wrong.')
  },
  parentOf: async (id: string) => PARENTS[id],
}

const commitWith = (more: object) =>
  ({ taskId: 'task_own', state: 'running', events: [], ...more }) as never as ActorCommit
const message = (to: string, body: MessageBody, from = 'task_own') =>
  commitWith({ messages: [{ id: 'm', to, from, body }] })
const child = (more: object = {}) =>
  commitWith({
    children: [
      {
        id: 'task_new',
        tenant: 'acme',
        agent: 'reader',
        depth: 2,
        parent: { taskId: 'task_own', stepId: 's' },
        ...more,
      },
    ],
  })
const event: MessageBody = { kind: 'event', event: { type: 'hello' } }
const cancel: MessageBody = { kind: 'cancel' }
const reply = (childId: string, stepId: string): MessageBody => ({
  kind: 'reply',
  stepId,
  invocation: 1,
  childId,
  outcome: { ok: true, value: 1 },
  state: 'completed',
})

const allowed: [what: string, commit: ActorCommit][] = [
  ['a child that it may ask', child()],
  ['its child again, after a commit whose answer was lost', child({ id: 'task_child' })],
  ['a cancel to its child', message('task_child', cancel, 'parent')],
  ['an event to its parent', message('task_parent', event)],
  ['its own reply to its parent', message('task_parent', reply('task_own', 'research'))],
  ['the reply of a child that could not be asked', message('task_own', reply('task_never', 's'), 'task_never')],
]
for (const [what, commit] of allowed) {
  test(`a commit may hold ${what}`, async () => await judge(readCommit(commit), task, reach))
}

const refused: [what: string, commit: ActorCommit][] = [
  ['a child that it may not ask', child({ agent: 'writer' })],
  ['a child of another tenant', child({ tenant: 'other' })],
  ['a child under the id of somebody else’s task', child({ id: 'task_foreign' })],
  ['a child under the id of another child of its parent', child({ id: 'task_cousin' })],
  ['a child of another task', child({ parent: { taskId: 'task_foreign', stepId: 's' } })],
  ['a child as deep as itself', child({ depth: 1 })],
  ['an event to somebody else’s task', message('task_foreign', event)],
  ['an event to a task that is not there', message('task_nobody', event)],
  ['an event in another’s name', message('task_child', event, 'task_foreign')],
  ['a child whose input its agent does not take', child({ input: 'wrong' })],
  ['a cancel to its parent', message('task_parent', cancel, 'parent')],
  ['the reply of another child to its parent', message('task_parent', reply('task_cousin', 'research'))],
  ['a reply to another step of its parent', message('task_parent', reply('task_own', 'pay'))],
  ['a forged reply to its child', message('task_child', reply('task_foreign', 's'))],
  ['a state that there is not', commitWith({ state: 'splendid' })],
  ['events that are none', commitWith({ events: [5] })],
]
for (const [what, commit] of refused) {
  test(`a commit with ${what} is refused`, async () => {
    await assert.rejects(async () => await judge(readCommit(commit), task, reach), { code: 'permission_denied' })
  })
}
