# go.go
