/** What a process and its guardian say to each other. Every request is answered once, under its own number. */
export type GuardianRequest = { readonly request: number } & (
  | { readonly kind: 'make-folder'; readonly parent: string; readonly prefix: string }
  | { readonly kind: 'remove-folder'; readonly folder: string }
  | ({ readonly kind: 'spawn' } & Command)
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: ProcessSignal }
)

/** `end` asks (SIGTERM), `kill` does not (SIGKILL). */
export type ProcessSignal = 'hang' | 'resume' | 'kill' | 'end'

export interface Command {
  readonly command: string
  readonly arguments: readonly string[]
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
  /** Output goes to the end of this file. */
  readonly logFile: string
  /** Whether the child is a Node process that talks back over a channel. */
  readonly talks: boolean
  /** Whose process it is to be, if not the guardian's owner's. */
  readonly user?: SystemUser | undefined
}

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export type GuardianReport =
  | { readonly kind: 'done'; readonly request: number; readonly folder?: string; readonly pid?: number }
  | { readonly kind: 'refused'; readonly request: number; readonly reason: string }
  | { readonly kind: 'exited'; readonly pid: number; readonly exit: Exit }
  | { readonly kind: 'said'; readonly pid: number; readonly message: unknown }
