// What Node's permission model, or the guard of the network, refused an isolated plug-in, in the words of its manifest:
// Node's own name a flag that no author of a plug-in can set.
const DECLARED_IN: Record<string, string> = {
  FileSystemRead: 'permissions.files.read',
  FileSystemWrite: 'permissions.files.write',
}

/** Undefined for every other error. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, permission, resource } = error as { code?: unknown; permission?: string; resource?: string }
  if (code !== 'ERR_ACCESS_DENIED') return undefined
  if (permission === undefined) return error.message
  const what = resource === undefined || resource === '' ? permission : `${permission} of ${resource}`
  const field = DECLARED_IN[permission]
  return field === undefined
    ? `${what}: an isolated plug-in may not do this.`
    : `${what} is not declared in the manifest’s ${field}.`
}
