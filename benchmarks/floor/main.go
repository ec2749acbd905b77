// The floor of poll.py: the same requests over kept connections, and next to nothing else.
//
// "raw" writes bytes made beforehand to a tls.Conn and looks for the end of the answer; "nethttp" is Go's own client.
// Prints what client.py prints: CPU seconds of each round, the first of which opens the connections, and memory.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

type spoke struct {
	port    int
	conn    *tls.Conn
	reader  *bufio.Reader
	request []byte
}

var lengthKey = []byte("content-length:")

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
}

func (s *spoke) raw(config *tls.Config) {
	if s.conn == nil {
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), config)
		check(err)
		s.conn, s.reader = conn, bufio.NewReaderSize(conn, 1024)
	}
	_, err := s.conn.Write(s.request)
	check(err)
	length := 0
	for first := true; ; first = false {
		line, err := s.reader.ReadSlice('\n')
		check(err)
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			log.Fatalf("expected 200, got %q", line)
		}
		if len(line) == 2 {
			break
		}
		if bytes.HasPrefix(line, lengthKey) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(lengthKey):])))
			check(err)
		}
	}
	_, err = s.reader.Discard(length)
	check(err)
}

func spent() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(one syscall.Timeval) float64 { return float64(one.Sec) + float64(one.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func most() float64 {
	for _, line := range strings.Split(string(read("/proc/self/status")), "\n") {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			check(err)
			return kilobytes / 1024
		}
	}
	return 0
}

func main() {
	models := flag.Int("models", 3, "of each spoke")
	rounds := flag.Int("rounds", 3, "after the first")
	workers := flag.Int("concurrency", 64, "spokes asked at once")
	flag.Parse()
	way, folder := flag.Arg(0), flag.Arg(1)
	body := read(folder + "/body.json")
	var ports map[string][]int
	check(json.Unmarshal(read(folder+"/ports.json"), &ports))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(folder + "/ca.pem"))
	config := &tls.Config{RootCAs: roots}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, MaxIdleConns: 0}}
	spokes := make([]spoke, len(ports["good"]))
	for place, port := range ports["good"] {
		head := fmt.Sprintf("POST /v1/models/model-0:predict HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", port, len(body))
		spokes[place] = spoke{port: port, request: append([]byte(head), body...)}
	}
	ask := func(s *spoke) { s.raw(config) }
	if way == "nethttp" {
		ask = func(s *spoke) {
			url := fmt.Sprintf("https://127.0.0.1:%d/v1/models/model-0:predict", s.port)
			answer, err := client.Post(url, "application/json", bytes.NewReader(body))
			check(err)
			_, err = io.Copy(io.Discard, answer.Body)
			check(err)
			answer.Body.Close()
		}
	}
	cpu := []float64{}
	for range *rounds + 1 {
		before := spent()
		todo := make(chan *spoke, len(spokes))
		for place := range spokes {
			todo <- &spokes[place]
		}
		close(todo)
		var group sync.WaitGroup
		for range *workers {
			group.Go(func() {
				for one := range todo {
					for range *models {
						ask(one)
					}
				}
			})
		}
		group.Wait()
		cpu = append(cpu, spent()-before)
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"cpu": cpu, "mb": most()}))
}
