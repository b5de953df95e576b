// troupe doctor: what is well, what is not, and what to do about it.
import { diagnose, type Finding } from '../boot/diagnosis.ts'
import { readSettings } from '../boot/settings.ts'
import type { Handler } from './context.ts'
import { EXIT } from './exit-codes.ts'

const MARKS = { ok: ['green', '✔'], absent: ['dim', '○'], bad: ['red', '✘'] } as const

export const doctorCommand: Handler = async (context) => {
  const { data } = context.globals
  const findings = await diagnose(
    readSettings({ ...process.env, ...(data === undefined ? {} : { TROUPE_DATA: data }) }),
  )
  const { style } = context.terminal
  const line = ({ check, verdict, found, todo }: Finding) => {
    const [colour, mark] = MARKS[verdict]
    const advice = todo === undefined ? '' : `\n${' '.repeat(20)}→ ${todo}`
    return `${style(colour, mark)} ${check.padEnd(16)}  ${found}${advice}`
  }
  context.show(findings, (all) => all.map(line).join('\n'))
  const bad = findings.filter(({ verdict }) => verdict === 'bad')
  context.terminal.note(bad.length === 0 ? 'Nothing is wrong.' : `${bad.length} to mend.`)
  return bad.length === 0 ? EXIT.ok : EXIT.unreachable
}
