// The names of subjects, streams and consumers. What comes from outside (a tenant's name) is made safe for a subject.
import type { PlatformEventType } from '../../contract/events.ts'

export type Subjects = ReturnType<typeof createSubjects>

export function createSubjects(prefix: string) {
  const stream = prefix.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
  return {
    offersStream: `${stream}_OFFERS`,
    offers: `${prefix}.offers.>`,
    offer: (lane: string, agent: string, place: string) => `${prefix}.offers.${lane}.${token(agent)}.${token(place)}`,
    offersOf: (lane: string, agent: string) => `${prefix}.offers.${lane}.${token(agent)}.*`,
    /** The consumer all hosts share. */
    offerConsumer: (lane: string, agent: string) => `${lane}-${token(agent)}`,
    /** What is given to a host before it is on disk. */
    entrusted: (kind: string, host: string) => `${prefix}.entrusted.${token(host)}.${token(kind)}`,
    /** What hosts have room for, and that somebody wants to know it. */
    rooms: `${prefix}.rooms.said`,
    roomsWanted: `${prefix}.rooms.wanted`,
    /** Where a process hears what became of it. */
    answers: (name: string) => `${prefix}.answers.${token(name)}`,
    mail: (hostId: string) => `${prefix}.mail.${token(hostId)}`,
    live: (tenant: string, bucket: string) => `${prefix}.live.${token(tenant)}.${bucket}`,
    control: (name: string) => `${prefix}.control.${token(name)}`,
    eventStream: (type: PlatformEventType) => `${stream}_EVENTS_${type.toUpperCase()}`,
    events: (type: PlatformEventType) => `${prefix}.events.${type}.>`,
    /** Events that belong to no tenant are told to everybody's operators: `-`. */
    event: (type: PlatformEventType, tenant: string | undefined) =>
      `${prefix}.events.${type}.${tenant === undefined ? '-' : token(tenant)}`,
  }
}

/** A subject's token has no dots, wildcards or spaces; `=` marks what had to be written otherwise. */
function token(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `=${Buffer.from(text).toString('base64url')}`
}
