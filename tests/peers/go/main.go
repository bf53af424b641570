// Go's crypto/tls as the other side of interoperability scenarios.
//
// Arguments are key=value; see the README beside this folder. The data of the scenario comes in on standard input and
// goes out on standard output; what is reported goes to standard error, one `name: value` a line.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var options = map[string]string{}

func main() {
	for _, argument := range os.Args[1:] {
		name, value, _ := strings.Cut(argument, "=")
		options[name] = value
	}
	// A harness that died must not leave this behind.
	time.AfterFunc(80*time.Second, func() { os.Exit(3) })
	if err := run(); err != nil {
		say("error", err.Error())
		var remote *net.OpError
		if errors.As(err, &remote) && remote.Op == "remote error" {
			say("alert-received", reflect.ValueOf(remote.Err).Uint())
		}
		os.Exit(1)
	}
}

func say(name string, value any) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, value)
}

func run() error {
	config, err := configuration()
	if err != nil {
		return err
	}
	var listener net.Listener
	if options["role"] == "server" {
		if listener, err = net.Listen("tcp", options["at"]); err != nil {
			return err
		}
	}
	for range number("connections", 1) {
		if err := connection(config, listener); err != nil {
			return err
		}
	}
	return nil
}

func connection(config *tls.Config, listener net.Listener) error {
	var conn *tls.Conn
	if listener != nil {
		raw, err := listener.Accept()
		if err != nil {
			return err
		}
		conn = tls.Server(raw, config)
	} else {
		raw, err := net.Dial("tcp", options["at"])
		if err != nil {
			return err
		}
		conn = tls.Client(raw, config)
	}
	defer conn.NetConn().Close()
	if err := conn.Handshake(); err != nil {
		return err
	}
	report(conn.ConnectionState())
	return exchange(conn)
}

func exchange(conn *tls.Conn) error {
	bytes := int64(number("bytes", 0))
	if _, err := io.CopyN(os.Stdout, conn, bytes); err != nil {
		return err
	}
	if _, err := io.CopyN(conn, os.Stdin, bytes); err != nil {
		return err
	}
	if options["close"] == "first" {
		if err := conn.CloseWrite(); err != nil {
			return err
		}
	}
	// io.EOF, which Copy does not report, is close_notify; an end without one is an error.
	more, err := io.Copy(io.Discard, conn)
	if err != nil {
		return err
	}
	if more != 0 {
		return fmt.Errorf("%d bytes instead of an end", more)
	}
	say("end", "closed")
	if options["close"] != "first" {
		return conn.CloseWrite()
	}
	return nil
}

func report(state tls.ConnectionState) {
	say("connection", "established")
	say("version", fmt.Sprintf("%04x", state.Version))
	say("suite", tls.CipherSuiteName(state.CipherSuite))
	say("group", uint16(state.CurveID))
	say("alpn", state.NegotiatedProtocol)
	say("resumed", state.DidResume)
	if options["role"] == "server" {
		say("name", state.ServerName)
	}
	if len(state.PeerCertificates) > 0 {
		say("peer", state.PeerCertificates[0].Subject)
	} else {
		say("peer", "none")
	}
	if len(state.VerifiedChains) > 0 {
		say("verified", true)
	}
	say("ocsp", hex.EncodeToString(state.OCSPResponse))
	if label := options["export"]; label != "" {
		material, err := state.ExportKeyingMaterial(label, nil, number("export-length", 0))
		if err != nil {
			say("material", err)
		} else {
			say("material", hex.EncodeToString(material))
		}
	}
}

func configuration() (*tls.Config, error) {
	config := &tls.Config{
		ServerName:             options["name"],
		MinVersion:             version(options["lowest"]),
		MaxVersion:             version(options["highest"]),
		SessionTicketsDisabled: options["tickets"] == "off",
	}
	if options["role"] == "client" && number("connections", 1) > 1 {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	}
	for _, name := range list("suites") {
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			if suite.Name == name {
				config.CipherSuites = append(config.CipherSuites, suite.ID)
			}
		}
	}
	for _, group := range list("groups") {
		id, err := strconv.ParseUint(group, 10, 16)
		if err != nil {
			return nil, err
		}
		config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(id))
	}
	config.NextProtos = list("alpn")
	return config, authentication(config)
}

func authentication(config *tls.Config) error {
	if path := options["trusts"]; path != "" {
		pem, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		config.RootCAs, config.ClientCAs = pool, pool
	}
	switch options["client-auth"] {
	case "optional":
		config.ClientAuth = tls.VerifyClientCertIfGiven
	case "required":
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if path := options["certificate"]; path != "" {
		certificate, err := tls.LoadX509KeyPair(path, options["key"])
		if err != nil {
			return err
		}
		if staple := options["ocsp"]; staple != "" {
			if certificate.OCSPStaple, err = os.ReadFile(staple); err != nil {
				return err
			}
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	if path := options["key-log"]; path != "" {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		config.KeyLogWriter = file
	}
	return nil
}

func list(name string) []string {
	if options[name] == "" {
		return nil
	}
	return strings.Split(options[name], ",")
}

func number(name string, otherwise int) int {
	if value, err := strconv.Atoi(options[name]); err == nil {
		return value
	}
	return otherwise
}

// Versions are named by their number on the wire, in hexadecimal digits.
func version(digits string) uint16 {
	value, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		panic("no version: " + digits)
	}
	return uint16(value)
}
