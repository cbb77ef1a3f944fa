#!/bin/bash
# The image's health check: exit 0 when this container's service is ready for requests.
exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/${LISTEN##*:}" || exit 1
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 line <&3 && [[ $line == "HTTP/1.1 200"* ]] || exit 1
