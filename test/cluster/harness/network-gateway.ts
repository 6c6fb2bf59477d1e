// Serves a listener that the parent process hands over: every connection is joined with one to the address and port in
// the arguments. The listener belongs to the parent's network, the outgoing connections to the one this process runs in.
import { connect, Server } from 'node:net'
import { pipeline } from 'node:stream'

const [host = '', port = ''] = process.argv.slice(2)

process.once('message', (_message, listener) => {
  if (!(listener instanceof Server)) throw new Error('expected a listener')
  listener.on('connection', (incoming) => {
    const outgoing = connect(Number(port), host)
    // An end that breaks breaks the other: that is all there is to report.
    pipeline(incoming, outgoing, incoming, () => {})
  })
})

// The parent ends this process by closing the channel, or by dying. Ctrl-C in its terminal is not for us.
process.once('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
