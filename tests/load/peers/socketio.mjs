// socket.io as it is meant to be used for this: a room, and an emit to the room for every frame that is published.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  socket.on('join', (done) => {
    socket.join('session');
    done();
  });
  socket.on('publish', (frame) => io.to('session').emit('telemetry', frame));
});

http.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${http.address().port}`));
