// The predictors of poll.py and faults.py: one TLS port a spoke, every question answered at once, some of them badly.
//
// Not net/http, which would cost more than the clients that are measured. The first line on standard output is the
// ports, by how they behave; each line on standard input is answered with what was counted so far; its end ends it.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

const bigBody = 100 << 20

var connections, requests, open atomic.Int64

var lengthKey = []byte("\r\ncontent-length:")

// answers[n] is the whole response to n rows.
var answers [65][]byte

var ready = response([]byte(`{"name":"model","ready":true}`))

func response(body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n", len(body))
	return append([]byte(head), body...)
}

// predictions are v1's: every row is normal.
func predictions(rows int) []byte {
	return response([]byte(`{"predictions":[` + string(bytes.Join(repeated([]byte("1"), rows), []byte(","))) + `]}`))
}

func repeated(item []byte, times int) [][]byte {
	found := make([][]byte, times)
	for place := range found {
		found[place] = item
	}
	return found
}

// answer makes as many labels as the body has rows.
func answer(head, body []byte) []byte {
	if bytes.HasPrefix(head, []byte("GET ")) {
		return ready
	}
	rows := bytes.Count(body, []byte("[")) - 1
	if rows >= 0 && rows < len(answers) {
		return answers[rows]
	}
	return predictions(max(rows, 0))
}

// question reads one request; the body's length must be declared.
func question(reader *bufio.Reader, held []byte) (head, body, kept []byte, err error) {
	held = held[:0]
	for !bytes.HasSuffix(held, []byte("\r\n\r\n")) {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return nil, nil, held, err
		}
		held = append(held, line...)
	}
	size := len(held)
	length := 0
	if at := bytes.Index(bytes.ToLower(held), lengthKey); at >= 0 {
		rest := held[at+len(lengthKey):]
		text := bytes.TrimSpace(rest[:bytes.IndexByte(rest, '\r')])
		if length, err = strconv.Atoi(string(text)); err != nil {
			return nil, nil, held, err
		}
	}
	held = append(held, make([]byte, length)...)
	_, err = io.ReadFull(reader, held[size:])
	return held[:size], held[size:], held, err
}

// talk is what a spoke does on one connection.
func talk(conn net.Conn, way string, delay time.Duration) {
	connections.Add(1)
	open.Add(1)
	defer open.Add(-1)
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 4096)
	held := make([]byte, 0, 4096)
	for {
		head, body, kept, err := question(reader, held)
		if err != nil {
			return
		}
		held = kept
		requests.Add(1)
		switch way {
		case "hang":
			io.Copy(io.Discard, conn) // until the other side has had enough
			return
		case "big":
			flood(conn, requests.Load()%2 == 0)
			return
		case "slow":
			drip(conn)
			return
		}
		if delay > 0 {
			time.Sleep(delay)
		}
		if _, err := conn.Write(answer(head, body)); err != nil {
			return
		}
	}
}

// flood sends 100 MB that are valid JSON so far, every other time without saying how much it will be.
func flood(conn net.Conn, chunked bool) {
	head := "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
	part := bytes.Repeat([]byte("1,"), 32<<10)
	if chunked {
		head += "transfer-encoding: chunked\r\n\r\n10\r\n{\"predictions\":[\r\n"
		part = append(fmt.Appendf(nil, "%x\r\n", len(part)), append(part, '\r', '\n')...)
	} else {
		head += fmt.Sprintf("content-length: %d\r\n\r\n{\"predictions\":[", bigBody)
	}
	if _, err := io.WriteString(conn, head); err != nil {
		return
	}
	for sent := 0; sent < bigBody; sent += len(part) {
		if _, err := conn.Write(part); err != nil {
			return
		}
	}
}

// drip sends a byte a second.
func drip(conn net.Conn) {
	for _, each := range answers[5] {
		if _, err := conn.Write([]byte{each}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

func serve(listener net.Listener, way string, delay time.Duration) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go talk(conn, way, delay)
	}
}

func listen(config *tls.Config) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if config == nil {
		return listener
	}
	return tls.NewListener(listener, config)
}

func spent() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	seconds := func(one syscall.Timeval) float64 { return float64(one.Sec) + float64(one.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func main() {
	counts := map[string]*int{}
	for _, way := range []string{"good", "hang", "refuse", "big", "slow"} {
		counts[way] = flag.Int(way, 0, "spokes that are "+way)
	}
	pem := flag.String("pem", "", "file with key and certificates; without it, no TLS")
	delay := flag.Duration("delay", 0, "before each answer")
	flag.Parse()
	for rows := range answers {
		answers[rows] = predictions(rows)
	}
	var config *tls.Config
	if *pem != "" {
		pair, err := tls.LoadX509KeyPair(*pem, *pem)
		if err != nil {
			log.Fatal(err)
		}
		config = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	ports := map[string][]int{}
	closed := []net.Listener{}
	for way, count := range counts {
		for range *count {
			listener := listen(config)
			ports[way] = append(ports[way], listener.Addr().(*net.TCPAddr).Port)
			if way == "refuse" {
				closed = append(closed, listener)
			} else {
				go serve(listener, way, *delay)
			}
		}
	}
	for _, listener := range closed {
		listener.Close()
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(ports)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		out.Encode(map[string]float64{
			"connections": float64(connections.Load()), "requests": float64(requests.Load()),
			"open": float64(open.Load()), "cpu": spent(),
		})
	}
}
