// Command redis is a Redis in memory for Argo CD's caches, on the address that it is given, until it is killed.
package main

import (
	"log"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	// Its clock stands still unless it is told: without this no entry would ever expire.
	const tick = 100 * time.Millisecond
	for range time.Tick(tick) {
		server.FastForward(tick)
	}
}
