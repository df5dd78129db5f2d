import { Redis } from 'ioredis'

/** A client that counts each command that it is given to send, those of a pipeline one by one. */
export class CountingRedis extends Redis {
  commands = 0

  override sendCommand(...sent: Parameters<Redis['sendCommand']>): ReturnType<Redis['sendCommand']> {
    this.commands++
    return super.sendCommand(...sent)
  }
}
