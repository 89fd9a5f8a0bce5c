"""SOCKS5 as bytes: a server's side of the conversation before the connection, without sockets."""
