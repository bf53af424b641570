module oxtls.test/peer

go 1.25
